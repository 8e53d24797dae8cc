/** `playhead tape check`: each tape agrees with itself, and what a client gets wrong is said. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, type TestContext, test } from 'node:test'
import { parseArgs } from '../../cli/args.ts'
import { check } from '../../cli/commands/tape.ts'
import { checkRecording } from '../../cli/tape/check.ts'
import { type Recorded, readRecording } from '../../cli/tape/recorded.ts'
import { readTape, type Tape } from '../../cli/tape/tape.ts'
import { createCodec, type EventCodec } from '../../schemas/index.ts'
import { readTapes, TAPES_DIR } from './tape.ts'

let codec: EventCodec
before(async () => {
  codec = await createCodec()
})

const tapeOf = (name: string): Tape => readTape(`${TAPES_DIR}${name}.json`)
const problemsOf = (name: string, recording: readonly Recorded[]) =>
  checkRecording(codec, tapeOf(name), recording).problems

type Loose = Record<string, unknown>
function eventsOf({ body }: Recorded): readonly Loose[] {
  const { events } = (body ?? {}) as { readonly events?: unknown }
  return Array.isArray(events) ? (events as readonly Loose[]) : []
}

/** The tape's own requests with their events changed; undefined leaves one out. */
function changed(name: string, change: (event: Loose) => Loose | undefined): readonly Recorded[] {
  return tapeOf(name).recording.map((one) => {
    const events = eventsOf(one)
    if (events.length === 0) return one
    return { ...one, body: { ...(one.body as Loose), events: events.flatMap((event) => change(event) ?? []) } }
  })
}

test('every tape of events agrees with itself', () => {
  const wrong = readTapes()
    .filter(({ steps }) => !steps.some(({ path }) => path.startsWith('/v1/cmcd')))
    .flatMap(({ name }) => problemsOf(name, tapeOf(name).recording).map((problem) => `${name}: ${problem}`))
  assert.deepEqual(wrong, [
    'retry: request 8, event 0: type is no type of event. Did you mean StallStarted?',
    // It is what that tape shows.
    'wrong-clock: request 6: there is no sentAt, so no clock can be corrected',
    'wrong-clock: request 7: there is no sentAt, so no clock can be corrected',
    'wrong-clock: request 8: there is no sentAt, so no clock can be corrected',
  ])
})

test('a client that plays the scenario slower, under ids of its own and in other batches is right', () => {
  const { recording } = tapeOf('stall')
  const all = recording.flatMap(eventsOf)
  const startMs = Date.parse(String(all[0]!.occurredAt))
  const own = all.map((event) => {
    const atMs = startMs + (Date.parse(String(event.occurredAt)) - startMs) * 1.2
    return { ...event, sessionId: 'mine', profileId: 'me', occurredAt: atMs }
  })
  const sentAt = startMs + 60_000
  const batch = { ...recording[1]!, atMs: sentAt, body: { sentAt, events: own } }
  assert.deepEqual(problemsOf('stall', [batch]), [])
})

test('a stall that never ends is said where it is missing', () => {
  const problems = problemsOf(
    'stall',
    changed('stall', (event) => (event.type === 'StallEnded' ? undefined : event)),
  )
  assert.match(problems.join('\n'), /after StallStarted \(3\): wanted StallEnded, came PlaybackEnded/)
  assert.match(problems.join('\n'), /lost_reports: wanted 0, is 1/)
  assert.match(problems.join('\n'), /STALL_NOT_ENDED: /)
})

test('events under a number that was given before, without an id, or with a word that does not exist', () => {
  const problems = problemsOf(
    'seek',
    changed('seek', ({ eventId, ...event }) => {
      if (event.type === 'SeekStarted') return { eventId, ...event, sequence: 1 }
      if (event.type === 'SeekEnded') return event
      return { eventId, ...event, ...(event.type === 'PlaybackEnded' && { reason: 'left' }) }
    }),
  ).join('\n')
  assert.match(problems, /request 4, event 1: without eventId it counts twice/)
  assert.match(problems, /SEQUENCE_REPEATED: 1 event with a number/)
  assert.match(problems, /request 6, event 0: reason .*quit/)
})

test('one view too many is a session that was not kept', () => {
  const problems = problemsOf(
    'seek',
    changed('seek', (event) => (event.type === 'PlaybackEnded' ? { ...event, sessionId: 'another' } : event)),
  )
  assert.match(problems[0] ?? '', /^2 views; the tape has 1/)
})

test('a HAR file is read as browsers and proxies write it, and the command answers by its exit code', async (t) => {
  const dir = tempDir(t)
  const tape = readTapes().find(({ name }) => name === 'three-routes')!
  const entries = tape.steps.map(({ atS, method, path, headers = {}, body, answer }) => ({
    startedDateTime: new Date(Date.parse(tape.startsAt) + atS * 1_000).toISOString(),
    request: {
      method,
      url: `https://api.example${path}`,
      headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
      postData: { text: JSON.stringify(body) },
    },
    response: { status: answer.status, content: { text: JSON.stringify(answer.body ?? '') } },
  }))
  const har = join(dir, 'recorded.har')
  const run = async (kept: readonly unknown[]) => {
    writeFileSync(har, JSON.stringify({ log: { entries: kept } }))
    let out = ''
    const io = { env: {}, tty: false, out: (text: string) => (out += text), err: () => undefined }
    const code = await check.run(parseArgs(check, [`${TAPES_DIR}three-routes.json`, har]), io)
    return { code, out }
  }
  const whole = await run(entries)
  assert.equal(readRecording(har).length, entries.length)
  assert.equal(whole.code, 0, whole.out)
  assert.match(whole.out, /dune-2021: 5 events: PlaybackStarted, PlaybackEnded\n✓ as in "three-routes"/)
  const cut = await run(entries.slice(0, -1))
  assert.equal(cut.code, 1)
  assert.match(cut.out, /✗ after PlaybackStarted \(1\): wanted PlaybackEnded, nothing came/)
})

function tempDir(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'playhead-tape-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}
