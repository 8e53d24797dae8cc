import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { ByteWriter } from '../../stores/bytes.ts'
import { canonicalRow, digestOf, readBody, rowHash, writeBody } from '../../stores/canonical.ts'
import type { StateRow, StateTable, TableSpec } from '../../stores/state.ts'
import { rowsArbitrary } from './arbitrary-rows.ts'

const spec: TableSpec = {
  name: 'progress',
  comment: '',
  partition: [{ name: 'profile_id', type: 'text' }],
  clustering: [{ name: 'title_id', type: 'text' }],
  columns: [
    { name: 'position_ms', type: 'long' },
    { name: 'watched', type: 'boolean' },
    { name: 'note', type: 'text' },
  ],
}
const row: StateRow = {
  key: ['ada', 'dune'],
  version: 7n,
  columns: [90_000n, true, 'é'],
  expiresAtMs: 1_700_000_000_000,
}

function tableOf(tableSpec: TableSpec, rows: readonly StateRow[]): StateTable {
  async function* scan() {
    yield* rows
  }
  // Only these two are asked of it.
  return { spec: tableSpec, scan } as unknown as StateTable
}

describe('canonical bytes', () => {
  test('are fixed for ever, for digests are compared across releases', () => {
    const hex = canonicalRow(spec, row, { version: 'with' }).toString('hex')
    assert.equal(
      hex,
      [
        '01 00000003 616461', // 'ada'
        '01 00000004 64756e65', // 'dune'
        '0000000000000007', // version
        '01 0000018bcfe56800', // expires
        '03 0000000000015f90', // 90000n
        '04 01', // true
        '01 00000002 c3a9', // 'é'
      ]
        .join('')
        .replaceAll(' ', ''),
    )
    assert.equal(rowHash(spec, row, { version: 'with' }), 0x81c2edb6eb154aa8n)
    assert.equal(rowHash(spec, row, { version: 'without' }), 0xbb887db3112d1762n)
  })

  test('differ whenever rows differ, and only then', () => {
    fc.assert(
      fc.property(rowsArbitrary, fc.constantFrom('with' as const, 'without' as const), ({ spec, rows }, version) => {
        for (const a of rows) {
          for (const b of rows) {
            const same = isDeepStrictEqual({ ...a }, { ...b, ...(version === 'without' && { version: a.version }) })
            const bytes = [a, b].map((one) => canonicalRow(spec, one, { version }))
            assert.equal(bytes[0]!.equals(bytes[1]!), same)
          }
        }
      }),
    )
  })

  test('of a body are read back as the same values', () => {
    fc.assert(
      fc.property(rowsArbitrary, fc.integer({ min: 0, max: 5 }), ({ spec, rows }, before) => {
        for (const { columns, expiresAtMs } of rows) {
          const out = new ByteWriter()
          for (let i = 0; i < before; i++) out.u8(255)
          const body = { columns, ...(expiresAtMs !== undefined && { expiresAtMs }) }
          writeBody(out, spec, body)
          const end = out.length
          out.u8(255)
          assert.deepEqual(readBody(spec, out.bytes, before, end), body)
        }
      }),
    )
  })

  test('stay as they were when a column is added, and a reader without it passes it over', () => {
    const wide = { ...spec, columns: [...spec.columns, { name: 'speed', type: 'int' as const }] }
    const form = { version: 'with' } as const
    const later = { ...row, columns: [...row.columns, null] }
    assert.deepEqual(canonicalRow(wide, later, form), canonicalRow(spec, row, form))
    const out = new ByteWriter()
    writeBody(out, wide, { columns: [...row.columns, 3] })
    assert.deepEqual(readBody(spec, out.bytes, 0, out.length), { columns: row.columns })
  })

  test('of a huge value do not disturb the next row', () => {
    const form = { version: 'with' } as const
    const before = canonicalRow(spec, row, form)
    const huge = canonicalRow(spec, { ...row, columns: [1n, false, 'é'.repeat(300_000)] }, form)
    assert.ok(huge.length > 600_000)
    assert.deepEqual(canonicalRow(spec, row, form), before)
  })
})

describe('digests', () => {
  test('add up over the parts of a table, in any order', async () => {
    await fc.assert(
      fc.asyncProperty(rowsArbitrary, fc.nat(), async ({ spec, rows }, cut) => {
        const at = cut % rows.length
        const form = { version: 'with', asOfMs: 2 } as const
        const digest = (part: readonly StateRow[]) => digestOf(tableOf(spec, part), form)
        const whole = await digest(rows)
        const parts = await Promise.all([digest(rows.slice(at).toReversed()), digest(rows.slice(0, at))])
        assert.equal(whole.rows, parts[0].rows + parts[1].rows)
        assert.equal(whole.sum, BigInt.asUintN(64, parts[0].sum + parts[1].sum))
      }),
    )
  })

  test('leave out what has expired, and the version if asked', async () => {
    const expiresAtMs = row.expiresAtMs!
    const table = tableOf(spec, [row])
    const other = tableOf(spec, [{ ...row, version: 9n }])
    const before = { asOfMs: expiresAtMs - 1 }
    assert.equal((await digestOf(table, { ...before, version: 'with' })).rows, 1n)
    assert.deepEqual(await digestOf(table, { asOfMs: expiresAtMs, version: 'with' }), { rows: 0n, sum: 0n })
    const digests = (version: 'with' | 'without') =>
      Promise.all([table, other].map((one) => digestOf(one, { ...before, version })))
    const [without, withoutToo] = await digests('without')
    assert.deepEqual(without, withoutToo)
    const [withIt, withOther] = await digests('with')
    assert.notDeepEqual(withIt, withOther)
  })
})
