/** Values as JSON has them: counts and positions as text, bytes as base64; an event without what points at a person. */
import type { Plain } from '../../api/replay/ports.ts'
import { toJson } from '../json.ts'

export function plain(value: object): Plain {
  return JSON.parse(toJson(value)) as Plain
}

export function plainEvent(event: object): Plain {
  const { personal: _, ...rest } = event as { personal?: unknown }
  return plain(rest)
}
