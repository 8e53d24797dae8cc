import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { findFfmpeg } from '../../cli/demo/clip.ts'
import { openBrowser } from './browser.ts'
import { openPage } from './web-support.ts'

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

interface Demo {
  readonly child: ChildProcess
  /** The first of what it says that fits. */
  said(pattern: RegExp): Promise<string>
}

function startDemo(t: TestContext): Demo {
  const home = mkdtempSync(join(tmpdir(), 'playhead-demo-'))
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('PLAYHEAD_')))
  const ports = ['PORT', 'ANALYTICS_PORT', 'CONSUMERS_HEALTH_PORT', 'ANALYTICS_HEALTH_PORT']
  const child = spawn(process.execPath, [MAIN, 'demo', '--no-open', '--views', '600'], {
    env: {
      ...inherited,
      ...Object.fromEntries(ports.map((port) => [`PLAYHEAD_${port}`, '0'])),
      PLAYHEAD_DATA: join(home, 'data'),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  })
  let text = ''
  const waiting = new Set<() => void>()
  createInterface({ input: child.stdout! }).on('line', (line) => {
    text += `${line}\n`
    for (const look of [...waiting]) look()
  })
  return {
    child,
    said: async (pattern) =>
      await new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(text)?.[1]
          if (found === undefined) return
          waiting.delete(look)
          resolve(found)
        }
        waiting.add(look)
        child.once('exit', () => reject(new Error(`the demo ended: ${text}`)))
        look()
      }),
  }
}

/** `0:12 of 2:00` → 12. */
function secondsIn(text: string | null): number {
  const [, minutes = '', seconds = ''] = /(\d+):(\d\d)/.exec(text ?? '') ?? []
  return Number(minutes) * 60 + Number(seconds)
}

test('the demo: an audience to look at, a player, a second device that goes on, and an end', {
  timeout: 300_000,
}, async (t) => {
  const browser = await openBrowser(t)
  if (browser === undefined) return
  const hasFfmpeg = (await findFfmpeg(process.env)) !== undefined
  const { child, said } = startDemo(t)

  await t.test('the dashboard has an hour of history and somebody who watches', async (t) => {
    const page = await openPage(t, browser, await said(/dashboard {2}(\S+)/))
    await page
      .locator('.tile')
      .first()
      .filter({ hasText: /[1-9]\d\d/ })
      .waitFor({ timeout: 60_000 })
    await page.waitForFunction('Number(document.querySelector(".big").textContent) > 10', undefined, {
      timeout: 60_000,
    })
    await page.getByRole('button', { name: 'fastly', exact: true }).waitFor({ timeout: 30_000 })
  })

  await t.test('the second device resumes where the first one stopped, and gives it back', async (t) => {
    if (!hasFfmpeg) return t.skip('no ffmpeg makes a clip')
    const page = await openPage(t, browser, await said(/player {5}(http\S+)/))
    const [first, second] = [page.locator('.device-line').nth(0), page.locator('.device-line').nth(1)]
    await first.filter({ hasText: /playing · 0:0[5-9]/ }).waitFor({ timeout: 60_000 })
    await page.locator('.feed tr', { hasText: 'Heartbeat' }).first().waitFor({ timeout: 60_000 })
    const resume = page.getByRole('button', { name: /^Resume here at/ })
    await resume.waitFor()
    const leftAt = secondsIn(await first.textContent())
    await resume.click()
    await second.filter({ hasText: /playing/ }).waitFor({ timeout: 30_000 })
    const resumedAt = secondsIn(await second.textContent())
    // Whole seconds are shown; what is played while the test looks is on top.
    assert.ok(resumedAt >= leftAt - 1 && resumedAt <= leftAt + 4, `left at ${leftAt} s, resumed at ${resumedAt} s`)
    await page.locator('.feed tr', { hasText: 'phone' }).first().waitFor({ timeout: 60_000 })
    const phoneAt = secondsIn(await second.textContent())
    await page.getByRole('button', { name: 'Take it back here' }).click()
    await first.filter({ hasText: /playing/ }).waitFor({ timeout: 30_000 })
    assert.ok(secondsIn(await first.textContent()) >= phoneAt - 1)
    await page.setViewportSize({ width: 360, height: 780 })
    assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true)
  })

  child.kill('SIGINT')
  const [code] = await once(child, 'exit')
  assert.equal(code, 0)
})
