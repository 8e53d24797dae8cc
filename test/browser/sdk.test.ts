/** What the SDK tells of a view, held against what the page itself saw. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openBrowser, openContext } from './browser.ts'
import { startEngine } from './engine.ts'
import {
  assertWhole,
  clipServer,
  ended,
  openPage,
  playedTo,
  type SdkPlayer,
  type SdkWindow,
  sessionIdOf,
  viewOf,
  watch,
} from './sdk-support.ts'

const PLAYERS: readonly SdkPlayer[] = ['hls.js', 'dash.js', 'shaka']
const NAMES = { 'hls.js': 'hls.js', 'dash.js': 'dash.js', shaka: 'shaka-player' } as const

test('a view is told as the page saw it', { timeout: 300_000 }, async (t) => {
  const browser = await openBrowser(t)
  if (browser === undefined) return
  const server = await clipServer(t)
  if (server === undefined) return
  const engine = await startEngine(t)

  for (const player of PLAYERS) {
    await t.test(`${player}: startup, rendition, bandwidth, a pause, a seek and the end`, async (t) => {
      const context = await openContext(t, browser)
      const page = await watch(context, server, player, {
        url: engine.api,
        titleId: player,
        token: await engine.token('ann'),
        heartbeatMs: 2_000,
      })
      await playedTo(page, 5_000)
      await page.evaluate(async () => {
        const { video } = globalThis as unknown as SdkWindow
        video.pause()
        await new Promise((resolve) => setTimeout(resolve, 1_000))
        await video.play()
      })
      await playedTo(page, 6_000)
      await page.evaluate(() => {
        ;(globalThis as unknown as SdkWindow).video.currentTime = 56
      })
      await page.waitForFunction(() => (globalThis as unknown as { seen: { endedAt: number } }).seen.endedAt > 0)
      await page.evaluate(() => (globalThis as unknown as SdkWindow).session.end())
      const sessionId = await sessionIdOf(page)
      const events = await ended(engine, sessionId)
      assertWhole(events)
      assert.deepEqual(
        events
          .map(({ type }) => type)
          .filter((type) => type !== 'Heartbeat' && type !== 'RenditionChanged' && !/Stall/.test(type)),
        [
          'PlaybackStarted',
          'FirstFrame',
          'PlaybackPaused',
          'PlaybackResumed',
          'SeekStarted',
          'SeekEnded',
          'PlaybackEnded',
        ],
      )
      const seen = await page.evaluate(() => (globalThis as unknown as { seen: Record<string, number> }).seen)
      const view = await viewOf(engine, sessionId)
      // A player that has loaded while `ready` was awaited shows its first frame before it is asked to play.
      const startupMs = Math.max(0, seen.frameAt! - seen.playAt!)
      assert.ok(Math.abs(Number(view.startup_ms) - startupMs) < 300, `${view.startup_ms} ms, the page saw ${startupMs}`)
      assert.ok(Math.abs(Number(view.paused_ms) - 1_000) < 300, `${view.paused_ms} ms paused`)
      assert.equal(view.seeks, 1)
      assert.equal(view.end_reason, 'finished')
      assert.equal(view.player, NAMES[player])
      assert.equal(view.connection_stalls, 0)
      assert.equal(view.cdn, new URL(server.url).host)
      assert.ok(Number(view.bits) > 0, 'bits of the rendition')
      // 6 s from the beginning and 4 s to the end; samples are up to 250 ms apart.
      assert.ok(Math.abs(Number(view.unique_media_ms) - 10_000) < 1_500, `${view.unique_media_ms} ms of media`)
      const beats = events.filter(({ type }) => type === 'Heartbeat')
      assert.ok(
        beats.some(
          ({ throughputKbps, videoBitrateKbps }) => Number(throughputKbps) > 0 && Number(videoBitrateKbps) > 0,
        ),
      )
      assert.deepEqual(await page.evaluate(() => (globalThis as unknown as SdkWindow).problems), [])
    })
  }

  await t.test('a network that dries up is a stall of the length that the page saw', async (t) => {
    const context = await openContext(t, browser)
    const page = await openPage(context, server, 'hls.js')
    server.bytesPerSecond = 1_000_000
    t.after(() => {
      server.bytesPerSecond = Number.POSITIVE_INFINITY
    })
    const options = { url: engine.api, titleId: 'dry', token: await engine.token('ben') }
    await page.evaluate((given) => (globalThis as unknown as SdkWindow).watch(given), options)
    await playedTo(page, 500)
    server.bytesPerSecond = 0
    await page.waitForFunction(
      () => (globalThis as unknown as { seen: { waitedAt: number } }).seen.waitedAt > 0,
      undefined,
      {
        timeout: 60_000,
      },
    )
    await page.waitForTimeout(1_500)
    server.bytesPerSecond = Number.POSITIVE_INFINITY
    await page.waitForFunction(() => (globalThis as unknown as { seen: { wentOnAt: number } }).seen.wentOnAt > 0)
    await page.evaluate(() => (globalThis as unknown as SdkWindow).session.end())
    const sessionId = await sessionIdOf(page)
    await ended(engine, sessionId)
    const view = await viewOf(engine, sessionId)
    const seen = await page.evaluate(() => (globalThis as unknown as { seen: Record<string, number> }).seen)
    const stalledMs = seen.wentOnAt! - seen.waitedAt!
    assert.equal(view.stalls, 1)
    assert.ok(Math.abs(Number(view.stalled_ms) - stalledMs) < 300, `${view.stalled_ms} ms, the page saw ${stalledMs}`)
  })

  await t.test('without consent nothing is stored and nothing names the viewer', async (t) => {
    const context = await openContext(t, browser)
    const page = await watch(context, server, 'hls.js', {
      url: engine.api,
      titleId: 'shy',
      key: engine.keys.publishable,
      token: await engine.token('fay'),
      profileId: 'fay',
      deviceId: 'phone of fay',
      consent: false,
    })
    await playedTo(page, 1_000)
    await page.evaluate(() => (globalThis as unknown as SdkWindow).session.end())
    const sessionId = await sessionIdOf(page)
    const events = await ended(engine, sessionId)
    assertWhole(events)
    assert.equal((await viewOf(engine, sessionId)).profile_id, `anon-${sessionId}`)
    assert.ok(!JSON.stringify(events).includes('fay'))
    assert.ok(
      !events.some(({ personal, context }) => personal != null || /pageUrl":"/.test(JSON.stringify(context ?? {}))),
    )
    assert.deepEqual(await page.evaluate('indexedDB.databases()'), [])
  })

  await t.test('progress of another device is heard of', async (t) => {
    const options = { url: engine.api, titleId: 'shared', token: await engine.token('gus'), heartbeatMs: 1_000 }
    const [one, two] = [await openContext(t, browser), await openContext(t, browser)]
    const listening = await watch(one, server, 'hls.js', { ...options, deviceId: 'laptop', remote: true })
    const playing = await watch(two, server, 'hls.js', { ...options, deviceId: 'phone' })
    await playedTo(playing, 3_000)
    await listening.waitForFunction(() =>
      (globalThis as unknown as SdkWindow).remote.some(({ positionMs }) => positionMs > 1_000),
    )
    const heard = await listening.evaluate(() => (globalThis as unknown as SdkWindow).remote)
    assert.deepEqual([...new Set(heard.map(({ device }) => device))], ['phone'], JSON.stringify(heard))
    for (const page of [listening, playing])
      await page.evaluate(() => (globalThis as unknown as SdkWindow).session.end())
  })
})
