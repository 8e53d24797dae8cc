/**
 * A real browser for tests: the Chromium of CHROME_PATH, else of the PATH. Where there is none the test is skipped, and
 * says so; a suite that lands a change counts that as a failure.
 */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Browser, type BrowserContext, chromium } from 'playwright-core'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'chrome']

export function chromePath(env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (env.CHROME_PATH) return env.CHROME_PATH
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find((path) => existsSync(path))
}

/** Undefined, with the test marked as skipped, where there is no browser. */
export async function openBrowser(t: TestContext): Promise<Browser | undefined> {
  const executablePath = chromePath()
  if (executablePath === undefined) {
    t.skip('no Chromium: install one, or name it in CHROME_PATH')
    return undefined
  }
  const browser = await chromium.launch({
    executablePath,
    // Containers run tests as root, where Chromium's own sandbox refuses to start; the pages are ours.
    args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required', '--disable-dev-shm-usage', '--mute-audio'],
  })
  t.after(() => browser.close())
  return browser
}

/** A context of its own storage; what its pages throw or log as an error fails the test at its end. */
export async function openContext(
  t: TestContext,
  browser: Browser,
  { tolerate = [] }: { readonly tolerate?: readonly RegExp[] } = {},
): Promise<BrowserContext> {
  const context = await browser.newContext()
  const wrong: string[] = []
  context.on('weberror', (error) => wrong.push(String(error.error())))
  context.on('console', (message) => {
    if (message.type() === 'error') wrong.push(message.text())
  })
  t.after(async () => {
    await context.close()
    const left = wrong.filter((text) => !tolerate.some((pattern) => pattern.test(text)))
    if (left.length > 0) throw new Error(`the page said: ${left.join(' | ')}`)
  })
  return context
}
