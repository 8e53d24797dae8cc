import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { canonicalRow } from '../../stores/canonical.ts'
import { STORE_LIMITS } from '../../stores/limits.ts'
import type { ColumnValue, StateRow, TableSpec } from '../../stores/state.ts'
import { collect, type StateSuite } from './state-contract.ts'

const hourMs = 3_600_000

function row(key: readonly ColumnValue[], version: bigint, ...columns: ColumnValue[]): StateRow {
  return { key, version, columns }
}

/** Blobs come back as Buffers whatever went in. */
function plain(rows: readonly (StateRow | undefined)[]): unknown[] {
  const value = (item: ColumnValue) => (item instanceof Uint8Array ? [...item] : item)
  return rows.map((item) => item && { ...item, key: item.key.map(value), columns: item.columns.map(value) })
}

export function rowContract(suite: StateSuite): void {
  describe('versions', () => {
    test('a row is read as it was written', async () => {
      const table = await suite.table()
      const written = row(['ada', 'dune'], 7n, 90_000n, 'half')
      await table.upsert([written])
      assert.deepEqual(await table.get([['ada', 'dune']]), [written])
    })

    test('the larger version wins, whichever comes first', async () => {
      const table = await suite.table()
      await table.upsert([row(['a', 't'], 5n, 5n, null), row(['b', 't'], 6n, 6n, null)])
      await table.upsert([row(['a', 't'], 6n, 6n, null), row(['b', 't'], 5n, 5n, 'late')])
      assert.deepEqual(
        await table.get([
          ['a', 't'],
          ['b', 't'],
        ]),
        [row(['a', 't'], 6n, 6n, null), row(['b', 't'], 6n, 6n, null)],
      )
    })

    test('version 0 is a version, and the largest one fits', async () => {
      const table = await suite.table()
      await table.upsert([row(['a', 't'], 0n, 0n, null)])
      assert.equal((await table.get([['a', 't']]))[0]?.version, 0n)
      await table.upsert([row(['a', 't'], 2n ** 63n - 2n, 1n, null)])
      assert.equal((await table.get([['a', 't']]))[0]?.version, 2n ** 63n - 2n)
    })

    test('of two writes of one version the larger canonical bytes win as a whole, never a mix of both', async () => {
      const table = await suite.table()
      const one = row(['a', 't'], 3n, 1n, 'z')
      const two = row(['a', 't'], 3n, 2n, 'a')
      const none = row(['a', 't'], 3n, null, 'zz')
      const winner = [one, two, none].toSorted((a, b) =>
        Buffer.compare(
          canonicalRow(table.spec, a, { version: 'with' }),
          canonicalRow(table.spec, b, { version: 'with' }),
        ),
      )[2]
      for (const order of [
        [one, two, none],
        [none, two, one],
      ]) {
        for (const item of order) await table.upsert([item])
        assert.deepEqual(await table.get([['a', 't']]), [winner])
      }
    })

    test('any order, repetition and batching of the same upserts ends in the same rows', async () => {
      const write = fc.record({
        key: fc.tuple(fc.constantFrom('p', 'q'), fc.constantFrom('t', 'u', 'v')),
        version: fc.bigInt({ min: 0n, max: 12n }),
        columns: fc.tuple(fc.option(fc.bigInt({ min: 0n, max: 3n })), fc.option(fc.constantFrom('', 'x', 'yy'))),
      })
      const writes = fc.array(write, { minLength: 1, maxLength: 20 })
      const shuffled = writes.chain((all) =>
        fc.record({
          all: fc.constant(all),
          again: fc.array(fc.constantFrom(...all), { maxLength: 10 }),
          order: fc.array(fc.nat(), { minLength: 30, maxLength: 30 }),
          batch: fc.integer({ min: 1, max: 30 }),
        }),
      )
      const table = await suite.table()
      let run = 0
      await fc.assert(
        fc.asyncProperty(shuffled, async ({ all, again, order, batch }) => {
          const prefix = `${run++}-`
          const named = (items: readonly StateRow[]) =>
            items.map((item) => ({ ...item, key: [prefix + item.key[0], item.key[1]!] }))
          const mixed = named([...all, ...again])
            .map((item, index) => ({ item, at: order[index]! }))
            .toSorted((a, b) => a.at - b.at)
            .map(({ item }) => item)
          for (let i = 0; i < mixed.length; i += batch) await table.upsert(mixed.slice(i, i + batch))
          const found = [
            ...(await table.list({ partition: [`${prefix}p`], limit: 10 })),
            ...(await table.list({ partition: [`${prefix}q`], limit: 10 })),
          ]
          assert.deepEqual(found, winners(table.spec, named(all)))
        }),
        { numRuns: suite.propertyRuns },
      )
    })
  })

  describe('values', () => {
    const everyType: Omit<TableSpec, 'name'> = {
      comment: 'Every type, everywhere',
      partition: [
        { name: 'k_text', type: 'text' },
        { name: 'k_int', type: 'int' },
        { name: 'k_long', type: 'long' },
        { name: 'k_boolean', type: 'boolean' },
        { name: 'k_timestamp', type: 'timestamp' },
        { name: 'k_blob', type: 'blob' },
      ],
      clustering: [
        { name: 'c_text', type: 'text', order: 'desc' },
        { name: 'c_int', type: 'int' },
        { name: 'c_long', type: 'long', order: 'desc' },
        { name: 'c_boolean', type: 'boolean', order: 'desc' },
        { name: 'c_timestamp', type: 'timestamp' },
        { name: 'c_blob', type: 'blob' },
      ],
      columns: [
        { name: 'text', type: 'text' },
        { name: 'order', type: 'int' },
        { name: 'long', type: 'long' },
        { name: 'boolean', type: 'boolean' },
        { name: 'timestamp', type: 'timestamp' },
        { name: 'blob', type: 'blob' },
      ],
    }
    const low = ['', -(2 ** 31), -(2n ** 63n), false, -62_135_596_800_000, Buffer.alloc(0)]
    const high = ['\u{10ffff}\0é', 2 ** 31 - 1, 2n ** 63n - 1n, true, 253_402_300_799_999, Buffer.from([0, 1, 0, 255])]
    const zero = ['\0', 0, 0n, false, 0, Buffer.from([0])]
    const minusOne = ['~', -1, -1n, true, -1, Buffer.from([255])]

    test('every type keeps its edges, in keys and in columns', async () => {
      const table = await suite.table(everyType)
      const nulls = [null, null, null, null, null, null]
      const rows = [low, high, zero, minusOne].flatMap((partition) =>
        [low, high, zero, minusOne].map((clustering, index) =>
          row([...partition, ...clustering], 1n, ...([high, low, minusOne, nulls][index] ?? [])),
        ),
      )
      await table.upsert(rows)
      assert.deepEqual(plain(await table.get(rows.map(({ key }) => key))), plain(rows))
      assert.equal((await collect(table.scan())).length, rows.length)
      for (const partition of [low, high, zero, minusOne]) {
        const listed = await table.list({ partition, limit: 10 })
        assert.deepEqual(
          plain(listed.map(({ key }) => row(key.slice(6), 0n))),
          plain([high, minusOne, zero, low].map((key) => row(key, 0n))),
        )
      }
    })

    test("a value that does not fit is refused with its column's name, and nothing is written", async () => {
      const table = await suite.table(everyType)
      const bad: [number, ColumnValue, RegExp][] = [
        [0, 'lone \ud800', /: text wants well-formed text/],
        [1, 1.5, /: order wants a whole number of 32 bits, not number \(1.5\)/],
        [1, 2 ** 31, /: order/],
        [2, 2n ** 63n, /: long wants/],
        [2, 1, /: long wants a bigint of 64 bits, not number/],
        [3, 'yes', /: boolean wants/],
        [4, Number.NaN, /: timestamp wants/],
        [5, 'bytes', /: blob wants bytes, not string/],
      ]
      for (const [index, value, message] of bad) {
        const good = row([...low, ...low], 1n, ...high)
        const other = { ...good, columns: good.columns.with(index, value) }
        await assert.rejects(table.upsert([good, other]), { code: 'STORE_REFUSED', message })
        const key = good.key.with(index, value)
        const where = new RegExp(`k_${everyType.columns[index]!.type}`)
        await assert.rejects(table.upsert([{ ...good, key }]), { code: 'STORE_REFUSED', message: where })
        await assert.rejects(table.get([key]), { code: 'STORE_REFUSED', message: where })
      }
      const good = row([...low, ...low], 1n, ...high)
      await assert.rejects(table.upsert([{ ...good, key: good.key.with(6, null) }]), { message: /c_text.*not null/ })
      await assert.rejects(table.upsert([{ ...good, version: -1n }]), { message: /version/ })
      await assert.rejects(table.upsert([{ ...good, expiresAtMs: -1 }]), { message: /expiresAtMs/ })
      await assert.rejects(table.upsert([{ ...good, columns: [] }]), { message: /has 6 columns; the row has 0/ })
      await assert.rejects(table.get([low]), { message: /has 12 key columns, not 6/ })
      assert.deepEqual(await collect(table.scan()), [])
    })

    test('keys, rows and batches have limits that refusals name', async () => {
      const table = await suite.table()
      const longest = 'é'.repeat(STORE_LIMITS.keyBytesMax / 2 - 1)
      await table.upsert([row([longest, 'zz'], 1n, 1n, null)])
      assert.equal((await table.get([[longest, 'zz']])).length, 1)
      await assert.rejects(table.upsert([row([longest, 'zzz'], 1n, 1n, null)]), { message: /keyBytesMax/ })
      await assert.rejects(table.get([[longest, 'z\0']]), { message: /keyBytesMax/ })
      await assert.rejects(table.get([['', 'z']]), { message: /profile_id is empty/ })
      const large = 'x'.repeat(STORE_LIMITS.valueBytesMax)
      await table.upsert([row(['large', 't'], 1n, 1n, large)])
      assert.equal((await table.get([['large', 't']]))[0]?.columns[1], large)
      await assert.rejects(table.upsert([row(['large', 't'], 1n, 1n, `${large}x`)]), { message: /note.*valueBytesMax/ })
      const many = Array.from({ length: STORE_LIMITS.upsertRowsMax + 1 }, () => row(['a', 't'], 1n, 1n, null))
      await assert.rejects(table.upsert(many), { message: /upsertRowsMax/ })
      for (const limit of [0, 1.5, STORE_LIMITS.listRowsMax + 1]) {
        await assert.rejects(table.list({ partition: ['a'], limit }), { message: /listRowsMax/ })
      }
    })
  })

  describe('reads', () => {
    test('get answers in the order asked, with gaps for what is not there', async () => {
      const table = await suite.table()
      await table.upsert(['c', 'a', 'b'].map((key) => row([key, 't'], 1n, 1n, key)))
      const found = await table.get(['b', 'x', 'a', 'b', 'c'].map((key) => [key, 't']))
      assert.deepEqual(
        found.map((item) => item?.columns[1]),
        ['b', undefined, 'a', 'b', 'c'],
      )
      assert.deepEqual(await table.get([]), [])
      await table.upsert([])
    })

    test("two handles see each other's writes at once", async () => {
      const mine = await suite.table()
      const theirs = await suite.second.table(mine.spec)
      for (let version = 1n; version <= 20n; version++) {
        const [writer, reader] = version % 2n ? [mine, theirs] : [theirs, mine]
        await writer.upsert([row(['a', 't'], version, version, null)])
        assert.equal((await reader.get([['a', 't']]))[0]?.version, version)
      }
    })

    test('list goes through a partition in clustering order, page by page', async () => {
      const table = await suite.table({
        clustering: [
          { name: 'day', type: 'int', order: 'desc' },
          { name: 'title_id', type: 'text' },
          { name: 'ok', type: 'boolean', order: 'desc' },
        ],
        columns: [],
      })
      const keys = [-1, 0, 1].flatMap((day) =>
        ['', 'a', 'b'].flatMap((title) => [
          [day, title, true],
          [day, title, false],
        ]),
      )
      await table.upsert([
        ...keys.map((key) => row(['p', ...key], 1n)),
        row(['o', 9, 'z', true], 1n),
        row(['q', -9, 'z', true], 1n),
      ])
      const wanted = keys.toSorted(
        (a, b) => Number(b[0]) - Number(a[0]) || (a[1]! < b[1]! ? -1 : a[1]! > b[1]! ? 1 : 0),
      )
      for (const limit of [1, 4, keys.length, 100]) {
        const seen: (readonly ColumnValue[])[] = []
        for (let after: readonly ColumnValue[] | undefined; ; ) {
          const page = await table.list({ partition: ['p'], limit, ...(after && { after }) })
          assert.ok(page.length <= limit)
          seen.push(...page.map(({ key }) => key.slice(1)))
          if (page.length < limit) break
          after = page.at(-1)!.key.slice(1)
        }
        assert.deepEqual(seen, wanted)
      }
      assert.deepEqual(await table.list({ partition: ['nobody'], limit: 5 }), [])
    })

    test('scan answers every row once', async () => {
      const table = await suite.table()
      const rows = Array.from({ length: 6_000 }, (_, i) => row([`p${i % 700}`, `t${i}`], BigInt(i), BigInt(i), null))
      await table.upsert(rows)
      const found = await collect(table.scan())
      const byVersion = found.toSorted((a, b) => Number(a.version - b.version))
      assert.deepEqual(byVersion, rows)
    })
  })

  describe('expiry and erasure', () => {
    test('a row is there until its expiry and not after', async () => {
      const table = await suite.table()
      const expiresAtMs = suite.clock.nowMs + hourMs
      const passing = { ...row(['p', 'b'], 1n, 1n, null), expiresAtMs }
      const staying = [row(['p', 'a'], 1n, 1n, null), row(['p', 'c'], 1n, 1n, null)]
      await table.upsert([...staying, passing])
      suite.clock.nowMs = expiresAtMs - 1
      assert.deepEqual(await table.get([['p', 'b']]), [passing])
      suite.clock.nowMs = expiresAtMs
      assert.deepEqual(await table.get([['p', 'b']]), [undefined])
      assert.deepEqual(await table.list({ partition: ['p'], limit: 2 }), staying)
      assert.deepEqual(await collect(table.scan()), staying)
    })

    test('a later version takes an expiry away or sets another', async () => {
      const table = await suite.table()
      const expiresAtMs = suite.clock.nowMs + hourMs
      await table.upsert([
        { ...row(['p', 'a'], 1n, 1n, null), expiresAtMs },
        { ...row(['p', 'b'], 1n, 1n, null), expiresAtMs },
      ])
      const kept = row(['p', 'a'], 2n, 2n, null)
      const longer = { ...row(['p', 'b'], 2n, 2n, null), expiresAtMs: expiresAtMs + hourMs }
      await table.upsert([kept, longer])
      suite.clock.nowMs = expiresAtMs
      assert.deepEqual(await table.list({ partition: ['p'], limit: 9 }), [kept, longer])
    })

    test('a write that has already expired still beats an older one that has not', async () => {
      const table = await suite.table()
      const older = row(['p', 'a'], 1n, 1n, null)
      await table.upsert([older])
      await table.upsert([{ ...row(['p', 'a'], 2n, 2n, null), expiresAtMs: suite.clock.nowMs - hourMs }])
      assert.deepEqual(await table.get([['p', 'a']]), [undefined])
      await table.upsert([older])
      assert.deepEqual(await table.get([['p', 'a']]), [undefined])
    })

    test('an expiry far in the future, or long ago, is kept exactly', async () => {
      const table = await suite.table()
      const far = { ...row(['p', 'a'], 1n, 1n, null), expiresAtMs: 253_402_300_799_999 }
      await table.upsert([far, { ...row(['p', 'b'], 1n, 1n, null), expiresAtMs: 0 }])
      assert.deepEqual(await collect(table.scan()), [far])
    })

    test("erase removes a partition's rows up to a version, and keeps out what is older", async () => {
      const table = await suite.table()
      const rows = [1n, 5n, 6n].map((version) => row(['p', `t${version}`], version, version, null))
      const other = row(['q', 't'], 1n, 1n, null)
      await table.upsert([...rows, other])
      await table.erase(['p'], 5n)
      assert.deepEqual(await table.list({ partition: ['p'], limit: 9 }), [rows[2]])
      await table.upsert([row(['p', 'late'], 5n, 5n, null), row(['p', 'new'], 7n, 7n, null)])
      await table.erase(['p'], 2n)
      assert.deepEqual(
        (await table.list({ partition: ['p'], limit: 9 })).map(({ key }) => key[1]),
        ['new', 't6'],
      )
      assert.deepEqual(await table.list({ partition: ['q'], limit: 9 }), [other])
    })
  })
}

/** What must stand after all writes: for each key the largest (version, canonical bytes). */
function winners(spec: TableSpec, writes: readonly StateRow[]): StateRow[] {
  const best = new Map<string, { bytes: Buffer; row: StateRow }>()
  for (const item of writes) {
    const key = item.key.join('/')
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64BE(item.version)
    const whole = Buffer.concat([bytes, canonicalRow(spec, item, { version: 'without' })])
    const found = best.get(key)
    if (!found || Buffer.compare(whole, found.bytes) > 0) best.set(key, { bytes: whole, row: item })
  }
  return [...best].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, { row: item }]) => item)
}
