/**
 * CMCD: records decoded against the library that players report with, alone; and the collector, by batches as a player
 * with `batchSize: 20` sends them, on the API role with its log on disk.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeCmcd } from '@svta/cml-cmcd'
import { readReports } from '../producers/cmcd/index.ts'
import { withTarget } from './api.ts'
import { alternate, type BenchOptions, type Measured, median } from './bench.ts'
import { load, requestBytes } from './http-load.ts'

const BATCH = 20
const CONNECTIONS = 64
const RECORDS = Array.from({ length: 64 }, (_, n) =>
  recordOf('7f0c8f7e-1b2a-4a55-8f4b-8e1f7a2c3d4e', n, 1_764_000_000_000),
)

export async function run({ quick }: BenchOptions): Promise<readonly Measured[]> {
  return [await decoding(quick), await collecting(quick)]
}

async function decoding(quick: boolean): Promise<Measured> {
  const times = quick ? 640 : 12_800
  const rate = async (decode: (record: string) => unknown): Promise<number> => {
    const start = process.hrtime.bigint()
    for (let i = 0; i < times; i++) decode(RECORDS[i % RECORDS.length]!)
    return times / (Number(process.hrtime.bigint() - start) / 1e9)
  }
  // One round of each beforehand, so that neither is measured while it is being compiled.
  await rate(readReports)
  await rate(decodeCmcd)
  const found = await alternate(
    quick ? 1 : 9,
    () => rate(readReports),
    () => rate(decodeCmcd),
  )
  const note = `${RECORDS[0]!.length} bytes a record`
  return { name: 'CMCD records decoded', unit: 'records/s', ...found, bar: { atLeast: 0.5, of: 'ratio' }, note }
}

async function collecting(quick: boolean): Promise<Measured> {
  const dir = await mkdtemp(join(tmpdir(), 'playhead-bench-cmcd-'))
  try {
    return await withTarget('api', dir, async ({ port, publishable }) => {
      const headers = { 'X-Playhead-Key': publishable }
      // Bodies are made beforehand, as many as a round can use: the client shares the machine with the server.
      let n = 0
      const round = async () => {
        const bodies = Array.from({ length: quick ? 50 : 3_000 }, () =>
          requestBytes('POST', '/v1/cmcd', headers, batchOf(n++)),
        )
        const durationMs = quick ? 100 : 2_000
        const found = await load({
          port,
          connections: CONNECTIONS,
          durationMs,
          status: 204,
          request: (i) => bodies[i % bodies.length]!,
        })
        return found.perSecond * BATCH
      }
      await round()
      const rates: number[] = []
      for (let i = 0; i < (quick ? 1 : 5); i++) rates.push(await round())
      const name = `collector: CMCD records in batches of ${BATCH}, durable`
      return { name, unit: 'records/s', ours: median(rates), bar: { atLeast: 20_000, of: 'ours' } }
    })
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** Twenty records of one player's session. */
function batchOf(n: number): string {
  const sid = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
  return Array.from({ length: BATCH }, (_, i) => `${recordOf(sid, i, Date.now())}\n`).join('')
}

function recordOf(sid: string, sn: number, ts: number): string {
  return (
    `bl=(${2_000 + sn * 100};v ${1_500 + sn * 100};a),br=(5000;v 128;a),bs,cdn="edge-a",cid="film-${sn % 7}",` +
    `com.playhead-pt=${sn * 10_000},e=t,mtp=(9${sn % 10}00),nr=?0,pr=1.08,sf=h,sid="${sid}",sn=${sn},st=v,sta=p,tb=(8000;v),ts=${ts + sn},v=2`
  )
}
