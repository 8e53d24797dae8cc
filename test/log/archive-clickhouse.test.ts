/** Others read an archive's files: ClickHouse, with its own Avro reader. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { query } from 'chdb'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import { archiveOf, fill, folder, recordsOf } from './archive-support.ts'

test('ClickHouse counts the records, and sees keys, times, headers, bytes and what is said of the event', async (t) => {
  const dir = join(folder(t), 'log')
  const places = [0, 1].map((partition) => ({
    topic: 'playback-events',
    partition,
    records: recordsOf(3, 3_000, partition),
  }))
  await fill(dir, [{ topic: 'playback-events', partitions: 2 }], places)
  const log = await openEmbeddedLog({ dir })
  t.after(() => log.close())
  const archive = folder(t)
  const tell = (value: Buffer) =>
    value.length % 2 === 0
      ? undefined
      : {
          type: 'Heartbeat',
          eventId: `e${value.length}`,
          occurredAtMs: 1_700_000_000_123,
          event: `{"n":${value.length}}`,
        }
  await archiveOf(log, archive, { tell })
  const files = `file('${archive}/playback-events/*/*.avro', 'Avro')`
  const asked = (sql: string) => query(sql, 'TSV').trim()
  const all = places.flatMap(({ records }) => records)
  const told = all.filter(({ value }) => value.length % 2 === 1)
  assert.equal(
    asked(`SELECT count(), countIf(key IS NULL), sum(length(value)), sum(length(headers)), countIf(event_type = 'Heartbeat'),
      sum(JSONExtractInt(assumeNotNull(event), 'n')), uniqExact(partition), min(toUnixTimestamp64Milli(timestamp)),
      max(position), sum(cityHash64(hex(value)) % 2) > 0, max(toUnixTimestamp64Milli(assumeNotNull(occurred_at))) FROM ${files}`),
    [
      all.length,
      all.filter(({ key }) => key === null).length,
      all.reduce((sum, { value }) => sum + value.length, 0),
      all.reduce((sum, { headers }) => sum + Object.keys(headers).length, 0),
      told.length,
      told.reduce((sum, { value }) => sum + value.length, 0),
      ...[2, Math.min(...all.map(({ timestampMs }) => timestampMs)), all.at(-1)!.position, 1, 1_700_000_000_123],
    ].join('\t'),
  )
  const { position, value, headers } = places[1]!.records.find(
    (r) => r.headers.name !== undefined && r.value.length > 40,
  )!
  const one = asked(`SELECT hex(value), headers['name'] FROM ${files} WHERE partition = 1 AND position = ${position}`)
  assert.equal(one, [value.toString('hex').toUpperCase(), headers.name].join('\t'))
})
