/** A look into the past ends when it is told to, and refuses a key that has more events than it may fold. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordsOfKey } from '../../cli/replay/index-of-events.ts'
import type { EventLog } from '../../log/log.ts'
import type { EventCodec } from '../../schemas/index.ts'

const PLACE = { topic: 'playback-events', key: 'ann', partition: 0 }
const END = 10n
/** Nothing is decoded here. */
const NO_CODEC = {} as EventCodec

/** Ten records of one key that no table knows yet. */
function portsOf(more: { readonly signal?: AbortSignal; readonly recordsMax?: number }) {
  const log = {
    bounds: async () => [{ topic: PLACE.topic, partition: 0, start: 0n, end: END }],
    read: async ({ from }: { readonly from: bigint }) => ({
      records: [{ position: from, key: 'ann', value: Buffer.alloc(1), timestampMs: 1, headers: {} }],
      next: from + 1n,
    }),
  } as unknown as EventLog
  return { log, codec: NO_CODEC, query: async () => [], indexed: async () => 0n, ...more }
}

test('as many records as may are folded, and one more is refused with the way out', async () => {
  assert.equal((await recordsOfKey(portsOf({ recordsMax: Number(END) }), PLACE, {})).length, Number(END))
  const tooMany = recordsOfKey(portsOf({ recordsMax: Number(END) - 1 }), PLACE, {})
  await assert.rejects(tooMany, { code: 'NOT_NOW', message: /playhead at/ })
})

test('nobody waits for it any more: it stops reading', async () => {
  const stop = new AbortController()
  const ports = portsOf({ signal: stop.signal })
  let reads = 0
  const { read } = ports.log
  ports.log.read = async (request) => {
    if (++reads === 3) stop.abort()
    return await read(request)
  }
  await assert.rejects(recordsOfKey(ports, PLACE, {}), { name: 'AbortError' })
  assert.equal(reads, 3)
})
