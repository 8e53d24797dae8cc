/** The personal fields of an event as bytes of their own: what is encrypted. The newest type; the label says which that is. */
import { buildType } from './avro-types.ts'
import { SOURCES } from './generated/sources.ts'
import type { Personal } from './generated/types.ts'

const type = buildType('playhead.Personal', {
  registry: {},
  tags: new Map(),
  source: (name) => {
    const text = Object.hasOwn(SOURCES, name) ? SOURCES[name] : undefined
    return text === undefined ? undefined : JSON.parse(text)
  },
})

/** Authenticated beside the bytes, which say nothing of their own schema: another shape gets another label. */
export const PERSONAL_LABEL = 'playhead.Personal/1'

export function encodePersonal(personal: Personal): Buffer {
  return type.toBuffer(personal)
}

/** Throws for bytes that are none; those that were authenticated always are. */
export function decodePersonal(bytes: Buffer): Personal {
  return type.fromBuffer(bytes) as Personal
}
