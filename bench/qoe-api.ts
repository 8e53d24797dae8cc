/**
 * Quality of experience where everything runs: how soon an event is in the numbers, and what viewers notice of people
 * who ask too much.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { profileToken, put, type Target, withTarget } from './api.ts'
import { type BenchOptions, type Measured, median } from './bench.ts'
import { load, requestBytes } from './http-load.ts'

export async function run({ quick }: BenchOptions): Promise<Measured[]> {
  const dir = await mkdtemp(join(tmpdir(), 'playhead-bench-qoe-api-'))
  try {
    return await withTarget('up', dir, async (target) => [
      await shown(target, quick ? 3 : 100),
      await undisturbed(target, quick ? [1, 200] : [7, 3_000]),
    ])
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** From the answer that an event is stored until the session is in the numbers. */
async function shown({ port, publishable, dataKey }: Target, times: number): Promise<Measured> {
  const url = `http://127.0.0.1:${port}/v1`
  const waits: number[] = []
  for (let n = 0; n < times; n++) {
    const began = performance.now()
    const events = [
      { type: 'PlaybackStarted', profileId: `p${n}`, sessionId: `s${n}`, titleId: 't', sequence: 0, positionMs: 0 },
    ]
    const sent = await fetch(`${url}/events`, {
      method: 'POST',
      headers: { 'x-playhead-key': publishable, 'content-type': 'application/json' },
      body: JSON.stringify({ events }),
    })
    if (sent.status !== 202) throw new Error(`an event was answered ${sent.status}: ${await sent.text()}`)
    for (;;) {
      const answer = await fetch(`${url}/qoe/overview?metric=views`, { headers: { 'x-playhead-key': dataKey } })
      const { values } = (await answer.json()) as { values?: { views: number } }
      if ((values?.views ?? 0) > n) break
      if (performance.now() - began > 20_000) throw new Error('an event was not in the numbers after twenty seconds')
      await delay(20)
    }
    waits.push(performance.now() - began)
    // At another moment of the consumers' second each time.
    await delay((n * 137) % 1_000)
  }
  waits.sort((a, b) => a - b)
  const p99 = waits[Math.floor(waits.length * 0.99)] ?? 0
  const note = `median ${median(waits).toFixed(0)} ms`
  return { name: 'event → overview, p99', ours: p99, unit: 'ms', bar: { atMost: 2_000, of: 'ours' }, note }
}

/** The latency of a resume, by four callers, while nobody asks ClickHouse anything and while four ask for far too much. */
async function undisturbed(target: Target, [rounds, durationMs]: readonly [number, number]): Promise<Measured> {
  const { port, dataKey } = target
  const token = { Authorization: `Bearer ${await profileToken(target, 'ann')}` }
  await put(target, token)
  const request = () => requestBytes('GET', '/v1/profiles/ann/progress/title-1', token)
  const p99 = async () => (await load({ port, connections: 4, durationMs, status: 200, request })).p99Ms
  const url = `http://127.0.0.1:${target.analyticsPort}/`
  const heavy = async (until: () => boolean) => {
    while (!until()) {
      const body =
        'SELECT sum(cityHash64(a.number, b.number)) FROM numbers(1000000) AS a CROSS JOIN numbers(1000000) AS b'
      const answer = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${dataKey}` }, body })
      await answer.text()
      // A limit ended it, or there was no room for it: both are what limits are for.
      if (answer.ok) throw new Error('a query without end was answered')
      await delay(50)
    }
  }
  await p99()
  const ratios: number[] = []
  for (let round = 0; round < rounds; round++) {
    const calm = await p99()
    let over = false
    const asking = Promise.all(Array.from({ length: 4 }, () => heavy(() => over)))
    await delay(300)
    ratios.push((await p99()) / calm)
    over = true
    await asking
  }
  const name = 'GET progress, p99 while ClickHouse is asked too much ÷ at rest'
  return { name, ours: median(ratios), unit: '×', bar: { atMost: 2, of: 'ours' } }
}
