/** Builds in processes of their own, on a running engine: started when there is something to build, killed, handed over. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { WantedBuilders } from '../../cli/builders.ts'
import { readKeyFile } from '../../cli/keys.ts'
import { CLI_LIMITS } from '../../cli/limits.ts'
import { liveRoles } from '../../cli/live-roles.ts'
import { Operator } from '../../cli/replay/operator.ts'
import { replayService } from '../../cli/replay/service.ts'
import { generationOf } from '../../consumers/generation.ts'
import { CONSUMER_LIMITS } from '../../consumers/limits.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import { generationActed } from '../../producers/generations.ts'
import { mintEventId } from '../../producers/ids.ts'
import { progressV1 } from '../../projections/progress/v1.ts'
import { createCodec } from '../../schemas/index.ts'
import { openEmbeddedState } from '../../stores/embedded/index.ts'
import { type Env, freePorts, playhead, type Running, start, tempFolder } from './playhead.ts'

interface Engine {
  readonly data: string
  readonly env: Env
  readonly run: Running
  readonly api: string
  readonly admin: string
}

async function up(t: TestContext): Promise<Engine> {
  const data = join(tempFolder(t), 'data')
  const env = { ...freePorts(data), PLAYHEAD_LIMIT_CLASSES: 'progress=1000000,events=1000000' }
  const run = start(t, env, 'up')
  await run.line((l) => l.includes('"msg":"up: '), 'the last word of the start')
  const notes = liveRoles(join(data, 'run'))
  const urlOf = (role: string) => notes.find((note) => note.role === role)?.facts.url as string
  const port = new URL(urlOf('analytics')).port
  const { admin } = readKeyFile(join(data, 'keys.json'))
  return { data, env: { ...env, PLAYHEAD_ANALYTICS_PORT: port }, run, api: urlOf('api'), admin }
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 60_000; !(await holds()); await delay(50)) {
    assert.ok(Date.now() < deadline, `never: ${what}`)
  }
}

const builders = ({ data }: Engine) => liveRoles(join(data, 'run')).filter(({ role }) => role === 'builder')

/** Generations that the processes of a role fold, and in how many partitions. */
async function foldedBy({ data }: Engine, role: string): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>()
  for (const { url } of liveRoles(join(data, 'run')).filter((note) => note.role === role)) {
    try {
      const answer = await fetch(`${url}/status`)
      const { partitions } = (await answer.json()) as { partitions?: { generation: string }[] }
      for (const { generation } of partitions ?? []) found.set(generation, (found.get(generation) ?? 0) + 1)
    } catch (error) {
      // It was killed a moment ago.
      if (!(error instanceof TypeError)) throw error
    }
  }
  return found
}

/** Writes positions and reads each back: it must be there, whichever generation is read. */
function viewer(t: TestContext, { api, admin }: Engine, profile: string) {
  const url = `${api}/v1/profiles/${profile}/progress/film`
  const headers = { authorization: `Bearer ${admin}`, 'content-type': 'application/json' }
  const stopping = new AbortController()
  t.after(() => stopping.abort())
  let reads = 0
  let failed: unknown
  const once = async (positionMs: number) => {
    const body = JSON.stringify({ positionMs, durationMs: 100_000_000, clientTimestamp: Date.now() })
    const written = await fetch(url, { method: 'PUT', headers, body })
    assert.ok(written.status < 300, `${written.status}: ${await written.text()}`)
    const position = written.headers.get('playhead-position') ?? ''
    for (let passed = false; !passed && !stopping.signal.aborted; ) {
      const read = await fetch(url, { headers: { ...headers, 'playhead-position': position } })
      const row = (await read.json()) as { positionMs?: number }
      // On a busy machine the wait for one's own write may come to its end, which is said.
      passed = read.headers.get('playhead-position-passed') === 'true'
      if (passed) assert.equal(row.positionMs, positionMs)
    }
    reads++
  }
  const running = (async () => {
    // Two writes of one moment would be told apart by their ids.
    for (let n = 1; !stopping.signal.aborted; n++, await delay(20)) await once(n * 1_000)
  })().catch((error: unknown) => {
    failed = error
  })
  return {
    more: async (many: number) => {
      const from = reads
      await until(`${many} more reads of ${profile}`, () => reads - from >= many || failed !== undefined)
      if (failed !== undefined) throw failed
    },
    stop: async () => {
      stopping.abort()
      await running
      if (failed !== undefined) throw failed
    },
  }
}

/** More of one partition than is taken in one batch, and of no meaning to anybody. */
async function fillEngineEvents({ data }: Engine): Promise<void> {
  const log = await openEmbeddedLog({ dir: join(data, 'log') })
  const codec = await createCodec()
  const arrival = { source: 'engine', appId: 'a', environment: 'e', receivedAtMs: Date.now() } as const
  const events = {
    codec,
    mint: () => mintEventId(Date.now(), (bytes) => void globalThis.crypto.getRandomValues(bytes)),
  }
  const who = { by: null, reason: 'a test' }
  const many = CONSUMER_LIMITS.keyedBatchRecordsMax + 2 * Number(CLI_LIMITS.buildNearRecords)
  for (let done = 0; done < many; done += 500) {
    const acts = Array.from({ length: 500 }, () => generationActed(events, arrival, 'none', 'test.act', {}, who))
    await log.append(acts)
  }
  await log.close()
}

async function listed(t: TestContext, { env }: Engine) {
  const { out, err } = await playhead(t, env, 'generations', 'incidents', '--json')
  assert.notEqual(out, '', err)
  return JSON.parse(out) as { id: string; state: string; standing?: { lag: string } }[]
}

test('a build has processes of its own while there is something to build: killed, it goes on; promoted, the consumers go on', async (t) => {
  const engine = await up(t)
  const { run, env } = engine
  const viewers = ['ann', 'bob', 'cid'].map((name) => viewer(t, engine, name))
  await Promise.all(viewers.map((one) => one.more(5)))
  await fillEngineEvents(engine)
  assert.equal(builders(engine).length, 0, 'nothing is to be built')
  // Slow enough to be met at it.
  const words = ['--name', 'other', '--workers', '2', '--rate', '500', '--detach', '--json']
  const asked = await playhead(t, env, 'rebuild', 'incidents', ...words)
  assert.equal(asked.code, 0, asked.err)
  const { id } = JSON.parse(asked.out) as { id: string }
  await until('two processes build', () => builders(engine).length === 2)
  await until('they have it', async () => ((await foldedBy(engine, 'builder')).get(id) ?? 0) > 0)
  assert.equal((await foldedBy(engine, 'consumers')).has(id), false, 'the consumers have only what is read')
  const [victim] = builders(engine)
  process.kill(victim!.pid, 'SIGKILL')
  await run.line((l) => l.includes('builder was ended by SIGKILL: started again'), 'it is missed')
  await Promise.all(viewers.map((one) => one.more(5)))
  await until('it is near: the consumers have it', async () => (await foldedBy(engine, 'consumers')).has(id))
  await until('the builders are ended', () => builders(engine).length === 0)
  const promoted = await playhead(t, env, 'generations', 'promote', id)
  assert.equal(promoted.code, 0, promoted.err)
  await run.line((l) => l.includes('another generation is read') && l.includes(`"to":"${id}"`), 'the API goes over')
  await run.line((l) => l.includes('alerts read another generation') && l.includes(id), 'and so do the alerts')
  await Promise.all(viewers.map((one) => one.more(10)))
  await Promise.all(viewers.map((one) => one.stop()))
  const states = (await listed(t, engine)).map((one) => [one.id === id, one.state])
  assert.deepEqual(states.sort(), [
    [false, 'resting'],
    [true, 'read'],
  ])
  const verified = await playhead(t, env, 'verify', 'incidents')
  assert.equal(verified.code, 0, verified.out + verified.err)
})

test('a far build wants builders until it is near, one that ends at a moment until it has come to it', async (t) => {
  const dir = tempFolder(t)
  const log = await openEmbeddedLog({ dir: join(dir, 'log') })
  await log.ensureTopics([{ topic: 'playback-events', partitions: 1 }])
  const state = await openEmbeddedState({ dir: join(dir, 'state'), clock: Date.now })
  t.after(() => Promise.all([log.close(), state.close()]))
  const incarnation = await log.incarnation()
  const past = generationOf(progressV1(), incarnation, { name: 'past', untilMs: 1_000 })
  const other = generationOf(progressV1(), incarnation, { name: 'other' })
  const many = Number(CLI_LIMITS.buildNearRecords) + 10
  const record = { topic: 'playback-events', key: 'ann', value: Buffer.from('any bytes') }
  await log.append(Array.from({ length: many }, (_, i) => ({ ...record, timestampMs: i === 0 ? 500 : 2_000 })))
  const folded = async ({ id }: typeof past, checkpoint: bigint) => {
    const place = { generation: id, topic: 'playback-events', partition: 0 }
    const found = await state.commits.read(place)
    const tally = { read: checkpoint, folded: checkpoint, duplicates: 0n, parked: 0n, undecryptable: 0n }
    await state.commits.swap(place, found, {
      term: 1n,
      revision: (found?.revision ?? 0n) + 1n,
      checkpoint,
      tally,
      audit: 0n,
    })
  }
  let nowMs = 1_000_000
  const wanted: number[] = []
  const builders = await WantedBuilders.open({ log, state, nowMs: () => nowMs, want: (so) => wanted.push(so) })
  const look = async (...builds: readonly (typeof past)[]) => {
    nowMs += 10_000
    return (await builders.follow(builds)).map(({ id }) => id)
  }
  assert.deepEqual(await look(), [])
  assert.deepEqual(await look(past), [])
  assert.deepEqual(wanted, [0, 1])
  await folded(past, 1n)
  assert.deepEqual(await look(past), [], 'nobody runs it any more')
  assert.deepEqual(wanted, [0, 1, 0], 'the next record was received after its moment')
  const codec = await createCodec({})
  const settings = { positionDays: 90, historyDays: 365, definitions: [] }
  const operator = await Operator.open({ settings, log, state, codec, nowMs: Date.now })
  const unasked = () => assert.fail('a build asks for nothing of it')
  const engines = { operator, log, state, codec, analytics: unasked, vault: unasked, deadLetters: unasked }
  const service = replayService(engines, { info: () => undefined, warn: () => undefined }, Date.now)
  await log.ensureTopics([{ topic: 'engine-events', partitions: 1 }])
  const asked = { projection: 'progress', parameters: {}, name: 'other', workers: 3 }
  assert.deepEqual(await service.rebuild(asked, { by: 'test', reason: null }), { id: other.id })
  await service.close()
  assert.deepEqual(await look(past, other), [])
  assert.deepEqual(wanted, [0, 1, 0, 3])
  await folded(other, 20n)
  assert.deepEqual(await look(past, other), [other.id], 'it has all but caught up: the consumers run it')
  assert.deepEqual(wanted, [0, 1, 0, 3, 0])
})
