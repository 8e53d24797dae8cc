/**
 * Which tables there are, and under which id their rows stand. Ids are never used twice, so a table that is dropped and
 * made again is another table.
 *
 * States of a table: *absent* → (create) *live* → (drop) *dropping* → *absent*. A drop takes many commits; one that was
 * cut off goes on when the store is next opened.
 */
import { addedColumns, specToText } from '../spec.ts'
import type { TableSpec } from '../state.ts'
import type { Environment } from './environment.ts'
import { afterPrefix } from './key.ts'
import { EMBEDDED_LIMITS } from './limits.ts'
import { removeRow } from './rows.ts'

interface StoredTable {
  readonly id: number
  readonly spec: string
}

const nextId = Buffer.from('next-id')
const tableKey = (name: string): Buffer => Buffer.from(`table/${name}`)
const dropPrefix = Buffer.from('drop/')

export function findTable(env: Environment, name: string): StoredTable | undefined {
  const bytes = env.meta.getBinary(tableKey(name))
  return bytes && (JSON.parse(bytes.toString()) as StoredTable)
}

/** Whether the table that has this name is still the one with this id: asked at every read, so nothing is parsed for it. */
export function liveness(env: Environment, name: string, id: number): () => boolean {
  const key = tableKey(name)
  const beginning = Buffer.from(`{"id":${id},`)
  return () => {
    const bytes = env.meta.getBinaryFast(key)
    return bytes !== undefined && beginning.compare(bytes, 0, beginning.length) === 0
  }
}

/** The id of the table, made or widened as the spec asks. */
export async function createTable(env: Environment, spec: TableSpec): Promise<number> {
  env.latest()
  const known = findTable(env, spec.name)
  if (known && addedColumns(known.spec, spec).length === 0) return known.id
  const text = specToText(spec)
  const made = await env.write(1, (): number | Error => {
    const stored = findTable(env, spec.name)
    try {
      if (stored && addedColumns(stored.spec, spec).length === 0) return stored.id
    } catch (error) {
      return error as Error
    }
    const id = stored?.id ?? Number(env.meta.getBinary(nextId)?.toString() ?? 1)
    if (!stored) void env.meta.put(nextId, Buffer.from(`${id + 1}`))
    void env.meta.put(tableKey(spec.name), Buffer.from(JSON.stringify({ id, spec: text } satisfies StoredTable)))
    return id
  })
  if (typeof made !== 'number') throw made
  return made
}

export async function dropTable(env: Environment, name: string): Promise<void> {
  const id = await env.write(1, () => {
    const stored = findTable(env, name)
    if (!stored) return undefined
    void env.meta.remove(tableKey(name))
    void env.meta.put(Buffer.from(`drop/${stored.id}`), Buffer.from(name))
    return stored.id
  })
  if (id !== undefined) await removeRows(env, id)
}

export async function finishDrops(env: Environment): Promise<void> {
  env.latest()
  const ids = [...env.meta.getKeys({ start: dropPrefix, end: afterPrefix(dropPrefix) })]
  for (const key of ids) await removeRows(env, Number(key.subarray(dropPrefix.length).toString()))
}

async function removeRows(env: Environment, id: number): Promise<void> {
  const start = Buffer.alloc(4)
  start.writeInt32BE(id)
  const range = { start, end: afterPrefix(start), limit: EMBEDDED_LIMITS.chunkRows }
  for (let more = true; more; ) {
    more = await env.write(EMBEDDED_LIMITS.chunkRows, () => {
      const rows = [...env.rows.getRange(range)]
      for (const { key, value } of rows) removeRow(env, key, value)
      const marks = [...env.erasures.getKeys(range)]
      for (const key of marks) void env.erasures.remove(key)
      if (rows.length + marks.length > 0) return true
      void env.meta.remove(Buffer.from(`drop/${id}`))
      return false
    })
  }
}
