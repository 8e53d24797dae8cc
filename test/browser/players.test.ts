/**
 * hls.js, dash.js and Shaka Player as npm has them, reporting in CMCD v2 event mode to a real engine. Each plays a clip over
 * a line that the test cuts for a while, is paused, seeks and plays to the end; the page measures on its own what it saw.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import type { MediaServer } from './media-server.ts'
import { inPage, type Measured, type PlayerName, until } from './players.ts'
import {
  LINE_BYTES_PER_SECOND,
  near,
  open,
  openStage,
  type Row,
  type Stage,
  type Story,
  viewOf,
} from './players-support.ts'

const CLIP_SECONDS = 14
const SEEK_TO_SECONDS = 11
const PAUSED_MS = 700
const HELD_MS = 2_000
const SETTLED_MS = 3_000
/** By Mux: from here on a stall is sustained. */
const SUSTAINED_MS = 1_000
interface Conformance {
  readonly players: readonly {
    readonly player: string
    readonly mode: string
    readonly faults: readonly { readonly code: string; readonly key: string }[]
  }[]
  readonly leftOut: readonly unknown[]
}

test('stock players report what the viewer saw', async (t) => {
  const stage = await openStage(t, CLIP_SECONDS)
  if (stage === undefined) return
  const players: readonly PlayerName[] = ['hls.js', 'dash.js', 'shaka']
  // One after the other: what each saw shall be the line's doing, not the others'.
  for (const name of players) {
    await t.test(`${name}: startup, stalls, seeks, pauses, renditions and the end`, (t) => plays(t, stage, name))
  }
  await t.test('conformance counts by player what was wrong: of dash.js the time to first byte', () => conforms(stage))
})

async function plays(t: TestContext, stage: Stage, name: PlayerName): Promise<void> {
  const { server, page, sessionId, play } = await open(t, stage, name)
  server.bytesPerSecond = LINE_BYTES_PER_SECOND
  await play()
  const seen = await watch(page, server)
  await page.evaluate(inPage.leave)

  const view = await viewOf(stage.engine, sessionId, ({ row, explanation }) => {
    return row.clean_ends === 1 && explanation?.behind === null
  })
  t.diagnostic(`the page: ${JSON.stringify(seen)}`)
  assert.equal(view.state, 'ended')
  const { profile_id, player, player_version } = view.row
  assert.deepEqual([profile_id, player], [`viewer of ${name}`, name])
  assert.match(String(player_version), /^v?\d+\.\d+/)
  hasTimes(view.row, seen)
  hasRenditions(view.row, view.story, seen, name)
  assert.deepEqual(view.explanation?.differences, [])
}

/** A start over a slow line, a line that is cut, a pause, a seek, the end. */
async function watch(page: Page, server: MediaServer): Promise<Measured> {
  await until(page, (m) => m.positionMs > 1_000, 30_000, 'playback')
  server.bytesPerSecond = 0
  await until(page, (m) => m.stallingSinceMs > 0, 30_000, 'stall')
  await new Promise((resolve) => setTimeout(resolve, HELD_MS))
  server.bytesPerSecond = LINE_BYTES_PER_SECOND
  const { positionMs } = await until(page, (m) => m.stalls.length > 0, 30_000, 'end of the stall')
  await until(page, (m) => m.positionMs > positionMs + 500, 30_000, 'playback after the stall')
  await page.evaluate(inPage.pause)
  await new Promise((resolve) => setTimeout(resolve, PAUSED_MS))
  await page.evaluate(inPage.resume)
  await until(page, (m) => m.pauses.length > 0, 30_000, 'end of the pause')
  // Shaka can hang for good in a seek that comes while it goes to another rendition: let it get there.
  await until(page, (m) => m.positionMs > positionMs + SETTLED_MS, 30_000, 'playback after the pause')
  await page.evaluate(inPage.seek, SEEK_TO_SECONDS)
  return await until(page, (m) => m.endedAtMs > 0, 30_000, 'end')
}

function hasTimes(row: Row, seen: Measured): void {
  const { stalls, seeks, pauses } = seen
  near(row.startup_ms, seen.firstFrameAtMs - seen.playAtMs, 'startup')
  // A machine that is busy has others, too short for player and page to agree on.
  const long = stalls.filter(({ fromMs, toMs }) => toMs - fromMs >= SUSTAINED_MS)
  assert.deepEqual([row.sustained_stalls, row.seeks], [long.length, seeks.length])
  near(row.stalled_ms, lengthOf(stalls), 'stalled')
  near(row.seek_latency_ms, lengthOf(seeks), 'seeking')
  near(row.paused_ms, lengthOf(pauses), 'paused')
  near(row.playing_ms, seen.endedAtMs - seen.firstFrameAtMs - lengthOf([...stalls, ...seeks, ...pauses]), 'playing')
  assert.ok(Number(row.stalled_ms) >= HELD_MS)
  assert.deepEqual(
    [row.starts, row.failures, row.errors, row.lost_reports, row.duplicate_reports, row.end_reason],
    [1, 0, 0, 0, 0, 'finished'],
  )
}

/** What was told came in the order of what was shown; a rendition that was only loaded may stand between. */
function hasRenditions(row: Row, { events }: Story, seen: Measured, name: PlayerName): void {
  const told = events.flatMap(({ fields: { event, videoBitrateKbps: kbps } }) =>
    typeof kbps === 'number' && (event === 'bc' || event === 'ps') ? [kbps > 1_000 ? 480 : kbps > 500 ? 360 : 240] : [],
  )
  // dash.js tells its bitrate only when its state changes, and Shaka not always when it goes to another.
  const [first, last] = [seen.heights.slice(0, 1), seen.heights.slice(-1)]
  const shown = name === 'hls.js' ? seen.heights : name === 'dash.js' ? last : first
  let at = -1
  for (const height of shown) {
    at = told.indexOf(height, at + 1)
    assert.ok(at >= 0, `${shown.join()} were shown, and ${told.join()} told`)
  }
  const average = Number(row.bits) / Number(row.bits_media_ms)
  assert.ok(average > 250 && average < 1_600, `${average} kbit/s`)
}

async function conforms({ engine }: Stage): Promise<void> {
  const headers = { 'x-playhead-key': engine.keys.data }
  const answer = await fetch(`${engine.api}/v1/cmcd/conformance`, { headers })
  const { players, leftOut } = (await answer.json()) as Conformance
  const faultsOf = (name: string) =>
    players
      .filter(({ player, mode }) => mode === 'event' && player.startsWith(`${name}/`))
      .map(({ faults }) => faults.map(({ code, key }) => `${code} ${key}`))
  assert.deepEqual(faultsOf('hls.js'), [[]])
  assert.deepEqual(faultsOf('shaka'), [[]])
  assert.deepEqual(faultsOf('dash.js'), [['VALUE_RANGE ttfb']])
  assert.deepEqual(leftOut, [])
}

function lengthOf(spans: readonly { readonly fromMs: number; readonly toMs: number }[]): number {
  return spans.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)
}
