import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { demoAudience } from '../../cli/demo/audience.ts'
import { DemoFolderTaken, keepDemoNote, openDemoFolder, planned } from '../../cli/demo/folder.ts'
import { DEMO_LIMITS } from '../../cli/demo/limits.ts'
import { canOpenBrowser } from '../../cli/demo/open-browser.ts'
import { dashboardText, demoUrls, playerText } from '../../cli/demo/words.ts'

const NOW_MS = 1_800_000_000_000
const NEW = { madeAtMs: 0, fromMs: 0, seed: '', views: 0, reachedMs: 0 }

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'playhead-demo-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

test('a folder that holds an engine of somebody is not touched', (t) => {
  const dir = folder(t)
  writeFileSync(join(dir, 'keys.json'), '{}')
  assert.throws(() => openDemoFolder(dir), DemoFolderTaken)
})

test('a folder of an earlier demo is gone on with, also after its note was cut off', (t) => {
  const dir = folder(t)
  assert.deepEqual(openDemoFolder(dir), NEW)
  const note = { madeAtMs: 5, fromMs: 1, seed: 's', views: 10, reachedMs: 9 }
  keepDemoNote(dir, note)
  writeFileSync(join(dir, 'keys.json'), '{}')
  assert.deepEqual(openDemoFolder(dir), note)
  writeFileSync(join(dir, 'demo.json'), '{"madeAt')
  assert.deepEqual(openDemoFolder(dir), NEW)
})

test('the same audience goes on for some hours; then, or for other flags, there is a new one after it', () => {
  const first = planned(NEW, 'demo', 600, NOW_MS)
  assert.equal(first.fromMs, NOW_MS - DEMO_LIMITS.historyMs - DEMO_LIMITS.warmUpMs)
  const stopped = { ...first, reachedMs: NOW_MS + 60_000 }
  assert.deepEqual(planned(stopped, 'demo', 600, NOW_MS + 120_000), stopped)
  assert.deepEqual(planned(stopped, 'demo', 700, NOW_MS + 120_000).fromMs, stopped.reachedMs)
  const later = NOW_MS + DEMO_LIMITS.againMs
  const second = planned(stopped, 'demo', 600, later)
  assert.deepEqual([second.madeAtMs, second.fromMs >= stopped.reachedMs], [later, true])
})

test('an audience that goes on says what it had not said, and nothing twice', () => {
  const note = planned(NEW, 'demo', 600, NOW_MS)
  const whole = demoAudience(note, NOW_MS).audience
  const ids: string[] = []
  const untilMs = note.fromMs + 20 * 60_000
  const halfMs = note.fromMs + 10 * 60_000
  for (let next = whole.next(untilMs); next !== undefined; next = whole.next(untilMs)) {
    if (next.receivedAtMs > halfMs) ids.push(next.event.meta.eventId)
  }
  const again = demoAudience({ ...note, reachedMs: halfMs }, NOW_MS).audience
  for (const id of ids) assert.equal(again.next(untilMs)?.event.meta.eventId, id)
  assert.ok(ids.length > 1_000)
})

test('what goes bad next is still to come', () => {
  const note = planned(NEW, 'demo', 600, NOW_MS)
  const { nextFault } = demoAudience(note, NOW_MS)
  assert.equal(nextFault?.cdn, 'cloudfront')
  assert.equal(nextFault?.atMs, NOW_MS + DEMO_LIMITS.faultEveryMs - DEMO_LIMITS.firstFaultMs)
})

test('keys stand in the fragment, which no server sees', () => {
  const keys = { data: 'ph_data_1', publishable: 'ph_pub_1' }
  const urls = demoUrls('http://127.0.0.1:8080', keys, 'a.b.c')
  assert.equal(urls.dashboard, 'http://127.0.0.1:8080/dashboard/#key=ph_data_1')
  for (const url of [urls.dashboard, urls.player ?? '']) {
    const { pathname, search } = new URL(url)
    assert.doesNotMatch(pathname + search, /ph_|a\.b\.c/)
  }
  assert.match(
    dashboardText(urls, 'keys.json', { cdn: 'fastly', atMs: NOW_MS, forMs: 300_000 }),
    /fastly goes bad for 5 min/,
  )
  assert.match(playerText(urls, false), /left out/)
  assert.match(playerText(demoUrls('http://x', keys, undefined), true), /PLAYHEAD_TOKEN_JWKS/)
})

test('a browser is opened where somebody sits in front of one', () => {
  assert.equal(canOpenBrowser({}, 'darwin'), true)
  assert.equal(canOpenBrowser({ SSH_CONNECTION: '1' }, 'darwin'), false)
  assert.equal(canOpenBrowser({}, 'linux'), false)
  assert.equal(canOpenBrowser({ DISPLAY: ':0' }, 'linux'), true)
  assert.equal(canOpenBrowser({ DISPLAY: ':0', CI: 'true' }, 'linux'), false)
})
