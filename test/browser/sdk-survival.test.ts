/** What happens to players: the tab closes, the network goes, the server restarts, the machine sleeps. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { openBrowser, openContext } from './browser.ts'
import { startEngine } from './engine.ts'
import {
  assertWhole,
  clipServer,
  confirmed,
  ended,
  eventsOf,
  eventually,
  openPage,
  playedTo,
  positionOf,
  type SdkWindow,
  sessionIdOf,
  viewOf,
  watch,
} from './sdk-support.ts'

const NETWORK_NOISE = [/ERR_CONNECTION_REFUSED|ERR_INTERNET_DISCONNECTED|ERR_EMPTY_RESPONSE|Failed to load resource/]
const HEARTBEAT_MS = 2_000
const OFFLINE_MS = 120_000

function end(page: Page): Promise<void> {
  return page.evaluate(() => (globalThis as unknown as SdkWindow).session.end())
}

test('a player loses nothing and doubles nothing, whatever befalls it', { timeout: 480_000 }, async (t) => {
  const browser = await openBrowser(t)
  if (browser === undefined) return
  const server = await clipServer(t)
  if (server === undefined) return
  const engine = await startEngine(t)

  await t.test('a tab closed in mid-play ends its view, and another browser resumes within a second', async (t) => {
    const options = {
      url: engine.api,
      titleId: 'closed',
      token: await engine.token('ann'),
      heartbeatMs: HEARTBEAT_MS,
    }
    const closed = await openContext(t, browser)
    const page = await watch(closed, server, 'hls.js', options)
    await playedTo(page, 6_300)
    const [sessionId, positionMs] = [await sessionIdOf(page), await positionOf(page)]
    await page.close({ runBeforeUnload: false })

    const events = await ended(engine, sessionId)
    assertWhole(events)
    assert.equal(events.at(-1)!.reason, 'quit')
    assert.ok(Math.abs(events.at(-1)!.positionMs - positionMs) < 1_000, `ended at ${events.at(-1)!.positionMs}`)

    const second = await openContext(t, browser)
    const again = await watch(second, server, 'hls.js', { ...options, deviceId: 'tv' })
    await again.waitForFunction(() => (globalThis as unknown as SdkWindow).resumedAt > 0)
    // Beyond where it resumes: to stand there is not to have shown a frame.
    await playedTo(again, positionMs + 1_000)
    const resumedAt = await again.evaluate(() => (globalThis as unknown as SdkWindow).resumedAt)
    assert.ok(Math.abs(resumedAt - positionMs) < 1_000, `left at ${positionMs}, resumed at ${resumedAt}`)
    await end(again)
    const resumed = await ended(engine, await sessionIdOf(again))
    assertWhole(resumed)
    const first = resumed.findIndex(({ type }) => type === 'FirstFrame')
    assert.ok(resumed[first]!.positionMs >= resumedAt - 1_000, JSON.stringify(resumed))
    // Later ones are the player's own: where the machine is slow, hls.js helps itself over a gap by a seek.
    const before = resumed.slice(0, first).map(({ type }) => type)
    assert.ok(!before.includes('SeekStarted'), 'the seek to where it resumes is part of the startup')
  })

  await t.test('offline for two minutes: told later, at the times at which it happened', async (t) => {
    const context = await openContext(t, browser, { tolerate: NETWORK_NOISE })
    const page = await watch(context, server, 'hls.js', {
      url: engine.api,
      titleId: 'offline',
      token: await engine.token('ben'),
      heartbeatMs: HEARTBEAT_MS,
    })
    // Enough in the buffer to play on.
    await playedTo(page, 3_000)
    await context.setOffline(true)
    const from = Date.now()
    await playedTo(page, 24_000, 60_000)
    const queued = await page.evaluate(() => (globalThis as unknown as SdkWindow).session.pending().queued)
    assert.ok(queued >= 8, `${queued} events wait`)
    // What was loaded is played; the viewer waits.
    await page.evaluate(() => (globalThis as unknown as SdkWindow).video.pause())
    await page.waitForFunction((until) => Date.now() > until, from + OFFLINE_MS, {
      timeout: OFFLINE_MS,
      polling: 1_000,
    })
    await page.evaluate(() => (globalThis as unknown as SdkWindow).video.play())
    await context.setOffline(false)
    await confirmed(page)
    await end(page)
    const events = await ended(engine, await sessionIdOf(page))
    assertWhole(events)
    const while_ = events.filter(({ type, at }) => type === 'Heartbeat' && at > from && at < from + 20_000)
    assert.ok(while_.length >= 8, `${while_.length} heartbeats of the time without network`)
    const view = await viewOf(engine, await sessionIdOf(page))
    assert.equal(view.lost_reports, 0)
    assert.ok(Number(view.playing_ms) > 20_000, `${view.playing_ms} ms played`)
    assert.ok(Number(view.paused_ms) > OFFLINE_MS / 2, `${view.paused_ms} ms paused`)
  })

  await t.test('closed while offline: the next page sends what was left', async (t) => {
    const context = await openContext(t, browser, { tolerate: NETWORK_NOISE })
    const options = {
      url: engine.api,
      titleId: 'left',
      token: await engine.token('cleo'),
      heartbeatMs: 1_000,
    }
    const page = await watch(context, server, 'hls.js', options)
    await playedTo(page, 2_000)
    await confirmed(page)
    await context.setOffline(true)
    await playedTo(page, 6_000)
    const sessionId = await sessionIdOf(page)
    await page.close({ runBeforeUnload: false })
    await context.setOffline(false)
    const next = await watch(context, server, 'hls.js', { ...options, titleId: 'next' })
    const events = await eventually(
      () => eventsOf(engine, sessionId),
      (all) => all.some(({ positionMs }) => positionMs >= 5_000),
      'events that were left',
    )
    assertWhole(events)
    await end(next)
  })

  await t.test('a server killed in mid-play and back again gets every event once', async (t) => {
    const context = await openContext(t, browser, { tolerate: NETWORK_NOISE })
    const page = await watch(context, server, 'hls.js', {
      url: engine.api,
      titleId: 'restarted',
      token: await engine.token('dora'),
      heartbeatMs: 500,
    })
    await playedTo(page, 2_000)
    await engine.restart({ kill: true, awayMs: 2_000 })
    await playedTo(page, 8_000)
    await confirmed(page)
    await end(page)
    const sessionId = await sessionIdOf(page)
    assertWhole(await ended(engine, sessionId))
    assert.equal((await viewOf(engine, sessionId)).lost_reports, 0)
  })

  await t.test('a machine that sleeps for an hour watched nothing meanwhile', async (t) => {
    const context = await openContext(t, browser)
    const page = await openPage(context, server, 'hls.js')
    // The wall clock runs on while the page stands still, as on Linux and macOS.
    await page.evaluate('aheadMs = 0; wall = Date.now; Date.now = () => wall() + aheadMs')
    const options = {
      url: engine.api,
      titleId: 'slept',
      token: await engine.token('eve'),
      heartbeatMs: HEARTBEAT_MS,
    }
    await page.evaluate((given) => (globalThis as unknown as SdkWindow).watch(given), options)
    await playedTo(page, 4_000)
    await page.evaluate('aheadMs = 3600000')
    await playedTo(page, 8_000)
    await end(page)
    const sessionId = await sessionIdOf(page)
    const events = await ended(engine, sessionId)
    assertWhole(events)
    const [paused, resumed] = ['PlaybackPaused', 'PlaybackResumed'].map((type) => events.find((e) => e.type === type)!)
    assert.equal(paused!.reason, 'system')
    assert.ok(Math.abs(resumed!.at - paused!.at - 3_600_000) < 3_000, `slept ${resumed!.at - paused!.at} ms`)
    const view = await viewOf(engine, sessionId)
    assert.ok(Number(view.playing_ms) < 15_000, `${view.playing_ms} ms played`)
    assert.ok(Number(view.paused_ms) > 3_500_000, `${view.paused_ms} ms paused`)
  })
})
