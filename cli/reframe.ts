/**
 * Schema ids are given by a registry, so bytes that move between registries get a new id in front; the body stays as
 * it is. Pure but for the two registries that are asked once.
 */
import { RELEASED, schemaIdOf } from '../schemas/index.ts'
import { registryClient } from '../schemas/registry-client.ts'

/** Released id → the id that the registry gives; without a registry the released ids themselves. */
export async function idsAt(registryUrl: string | undefined): Promise<ReadonlyMap<number, number>> {
  if (registryUrl === undefined) return new Map(RELEASED.map(({ id }) => [id, id]))
  const registry = registryClient({ registryUrl })
  const ids = new Map<number, number>()
  for (const { id, subject, schema } of RELEASED) ids.set(id, await registry.register(subject, schema))
  return ids
}

export interface Reframer {
  /** The value with its id replaced, or as it was if its id is none of ours (counted). */
  reframe(value: Buffer): Buffer
  strangers(): number
}

export function reframer(from: ReadonlyMap<number, number>, to: ReadonlyMap<number, number>): Reframer {
  const translated = new Map([...from].map(([released, wire]) => [wire, to.get(released)]))
  let strangers = 0
  return {
    reframe: (value) => {
      const id = schemaIdOf(value)
      const next = id === undefined ? undefined : translated.get(id)
      if (next === undefined) {
        strangers += 1
        return value
      }
      if (next === id) return value
      const framed = Buffer.from(value)
      framed.writeUInt32BE(next, 1)
      return framed
    },
    strangers: () => strangers,
  }
}
