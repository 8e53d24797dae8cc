/** The walk of the background verify over all keys, page by page. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AUDIT_LIMITS } from '../../cli/audit/limits.ts'
import { Walk, type WalkPorts } from '../../cli/audit/walk.ts'

const KEYS = 2 * AUDIT_LIMITS.pageKeys + 3

/** What ClickHouse answers, by a hash of its own: a key's place depends on the salt. */
function tableOf(keys: readonly string[]): WalkPorts & { pages: number } {
  const ports = {
    pages: 0,
    query: async <T>(_sql: string, { salt, after, limit }: Record<string, unknown> = {}) => {
      ports.pages++
      const step = String(salt).length * 2 + 1
      const rows = keys.map((key, i) => ({ key, place: String((i * step) % keys.length), records: '3' }))
      rows.sort((a, b) => Number(a.place) - Number(b.place))
      return rows.filter(({ place }) => BigInt(place) > BigInt(String(after))).slice(0, Number(limit)) as T[]
    },
  }
  return ports
}

async function walked(salt: string, ports: WalkPorts): Promise<string[]> {
  const walk = new Walk('playback-events', salt)
  const found: string[] = []
  for (let next = await walk.next(ports); next !== undefined; next = await walk.next(ports)) {
    assert.equal(next.records, 3)
    found.push(next.key)
    assert.ok(found.length <= KEYS, 'it goes round')
  }
  return found
}

test('every key comes once, over several pages, in another order each time', async () => {
  const keys = Array.from({ length: KEYS }, (_, n) => `key-${n}`)
  const ports = tableOf(keys)
  const [first, second] = [await walked('a', ports), await walked('bcd', ports)]
  assert.equal(ports.pages, 6)
  assert.deepEqual(first.toSorted(), keys.toSorted())
  assert.deepEqual(second.toSorted(), keys.toSorted())
  assert.notDeepEqual(first, second)
})

test('an empty table, and one that ends with a page, are walked to their end', async () => {
  assert.deepEqual(await walked('a', tableOf([])), [])
  const keys = Array.from({ length: AUDIT_LIMITS.pageKeys }, (_, n) => `key-${n}`)
  assert.equal((await walked('a', tableOf(keys))).length, keys.length)
})
