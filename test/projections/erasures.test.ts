import assert from 'node:assert/strict'
import { test } from 'node:test'
import { erasuresV1 } from '../../projections/erasures/v1.ts'
import { eventsV1 } from '../../projections/events/v1.ts'
import type { PlayheadEvent } from '../../schemas/index.ts'
import { erased, heartbeat, idOf } from '../consumers/events.ts'

const keyed = erasuresV1().keyed!

test('the newest erasure of a profile is its row, whatever the order', () => {
  const [first, second, third] = [erased('anna', idOf(1), 10), erased('anna', idOf(2), 20), erased('anna', idOf(3), 20)]
  const columns = (events: readonly PlayheadEvent[]) =>
    keyed.toColumns(events.reduce<unknown>((state, event) => keyed.fold(state, event), undefined))
  assert.deepEqual(columns([first, second, third]), [20, idOf(3), 'test', null])
  for (const order of [
    [third, second, first],
    [second, third, first],
    [first, third, second, third],
  ]) {
    assert.deepEqual(columns(order), columns([first, second, third]))
  }
  assert.deepEqual(keyed.toColumns(keyed.fromColumns(columns([first]), ['anna'])), columns([first]))
})

test('only an erasure is a row', () => {
  assert.deepEqual(keyed.key(erased('anna', idOf(1), 10)), ['anna'])
  assert.equal(keyed.key(heartbeat({ profileId: 'anna', eventId: idOf(1), positionMs: 0, atMs: 0 })), undefined)
})

test('the table of events shows nothing that points at a person, sealed or not', () => {
  const base = heartbeat({ profileId: 'anna', eventId: idOf(1), positionMs: 1_234, atMs: 0 })
  const sealed = { keyId: 'the-key', nonce: Buffer.alloc(12), bytes: Buffer.from('cipher') }
  const personal = { accountId: 'acc', deviceId: 'the-device', userAgent: 'ua', address: '::1', custom: { c: 'v' } }
  for (const said of [
    { ...personal, sealed: null },
    { ...personal, accountId: null, deviceId: null, sealed },
  ]) {
    const entry = {
      topic: 't',
      partition: 0,
      position: 1n,
      timestampMs: 0,
      key: 'anna',
      fate: 'folded',
      schemaId: 1,
    } as const
    const cells = eventsV1(['t']).journal!.row({ ...entry, event: { ...base, personal: said } })!
    const payload = JSON.parse(String(cells.at(-1))) as Record<string, unknown>
    assert.equal(payload.positionMs, 1_234)
    assert.equal('personal' in payload, false)
    assert.ok(!cells.some((cell) => /the-device|the-key|acc/.test(String(cell))))
  }
})
