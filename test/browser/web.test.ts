import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openBrowser } from './browser.ts'
import { startEngine } from './engine.ts'
import { namelessControls, openPage, poorContrast, post, viewEvents } from './web-support.ts'

const GONE = [
  /503/,
  /ERR_CONNECTION_REFUSED/,
  /ERR_INCOMPLETE_CHUNKED_ENCODING/,
  /ERR_CONNECTION_RESET/,
  /ERR_EMPTY_RESPONSE/,
]

test('the dashboard, from the question for a key to one view of an audience that plays', {
  timeout: 120_000,
}, async (t) => {
  const browser = await openBrowser(t)
  if (browser === undefined) return
  const engine = await startEngine(t)
  const { api, keys } = engine

  await t.test('asks for a key, says what is wrong with another, and keeps it out of the address', async (t) => {
    const page = await openPage(t, browser, `${api}/`, { tolerate: [/401|403/] })
    await page.getByLabel('Data key').fill('ph_data_of_another_engine')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').filter({ hasText: 'not valid here' }).waitFor()
    await page.getByLabel('Data key').fill(keys.publishable)
    await page.keyboard.press('Enter')
    await page.getByRole('alert').filter({ hasText: 'may not read numbers' }).waitFor()
    await page.getByLabel('Data key').fill(keys.data)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Nothing was reported yet' }).waitFor()
    assert.doesNotMatch(page.url(), /ph_/)
    await page.reload()
    await page.getByRole('heading', { name: 'Nothing was reported yet' }).waitFor()
  })

  await t.test('teaches how to begin, with a line that works, and fills when somebody does', async (t) => {
    const page = await openPage(t, browser, `${api}/dashboard/#key=${keys.data}`)
    await page.getByRole('heading', { name: 'Nothing was reported yet' }).waitFor()
    assert.equal(page.url(), `${api}/dashboard/`)
    const shown = await page.locator('.welcome pre').first().textContent()
    assert.ok(shown?.startsWith(`curl ${api}/v1/events`))
    const sent = JSON.parse(/-d '([\s\S]*)'$/.exec(shown ?? '')?.[1] ?? '') as { events: Record<string, unknown>[] }
    await post(engine, sent.events)
    await page.getByRole('heading', { name: 'Quality' }).waitFor({ timeout: 15_000 })
    assert.equal(await page.locator('.big').textContent(), '1')
  })

  const kinds = ['plays', 'stalls', 'ends', 'plays', 'fails'] as const
  const events = Array.from({ length: 15 }, (_, n) => viewEvents(n + 10, 60_000, kinds[n % 5])).flat()
  await post(engine, events)

  await t.test('numbers, filters, sorting and a view, by keyboard', async (t) => {
    const page = await openPage(t, browser, `${api}/dashboard/#key=${keys.data}`)
    const metrics = page.getByRole('group', { name: 'Metrics' })
    const tile = (name: string) => metrics.getByRole('button', { name: new RegExp(`^${name}`) })
    await tile('Views').filter({ hasText: '16' }).waitFor({ timeout: 60_000 })
    await tile('Startup time').filter({ hasText: '8' }).waitFor()
    // Three of sixteen failed.
    await tile('Failed views').filter({ hasText: '19%' }).waitFor()
    await tile('Rebuffering').press('Enter')
    await page.getByRole('heading', { name: 'Rebuffering', level: 3 }).waitFor()
    assert.match(page.url(), /metric=rebuffer/)

    await page.getByRole('button', { name: 'fastly', exact: true }).press('Enter')
    await page.getByRole('button', { name: /^cdn: fastly/ }).waitFor()
    await tile('Views').filter({ hasText: '5' }).waitFor()
    await page.getByRole('button', { name: /^cdn: fastly/ }).press('Enter')
    await tile('Views').filter({ hasText: '16' }).waitFor()
    await page.getByRole('button', { name: 'Failed', exact: true }).first().press('Enter')
    await page.locator('th[aria-sort="descending"]', { hasText: 'Failed' }).waitFor()

    await page.getByRole('group', { name: 'Which views' }).getByRole('button', { name: 'Failed' }).press('Enter')
    await page.locator('.views .pill', { hasText: 'failed' }).first().waitFor()
    await page.getByRole('searchbox', { name: /session/ }).fill('session-11')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Session session-11' }).waitFor()
    await page.locator('.band.state-stalled').waitFor({ state: 'attached' })
    await page.locator('.inspector', { hasText: 'StallStarted' }).waitFor()
    await page.locator('.timeline').press('ArrowRight')
    await page.locator('.inspector', { hasText: 'StallEnded' }).waitFor()
    await page.getByText(/^\d+ events$/).click()
    await page.getByRole('button', { name: 'FirstFrame' }).click()
    await page.locator('.inspector', { hasText: 'FirstFrame' }).waitFor()
    await page.getByRole('link', { name: /Overview/ }).press('Enter')
    // As it was left: the address has it all.
    await page.locator('th[aria-sort="descending"]', { hasText: 'Failed' }).waitFor()
  })

  for (const scheme of ['light', 'dark'] as const) {
    await t.test(`is readable in ${scheme}, on a phone, with names for all that can be pressed`, async (t) => {
      const page = await openPage(t, browser, `${api}/dashboard/#key=${keys.data}`, { scheme, width: 360 })
      await page.locator('.views a').first().waitFor({ timeout: 15_000 })
      assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true)
      assert.deepEqual(await poorContrast(page), [])
      assert.deepEqual(await namelessControls(page), [])
      await page.evaluate(`location.hash = '#/view/session-11'`)
      await page.locator('.band').first().waitFor({ state: 'attached' })
      assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true)
      assert.deepEqual(await poorContrast(page), [])
      await page.getByRole('button', { name: /^Colours/ }).click()
      assert.match((await page.evaluate('document.documentElement.dataset.theme')) as string, /light/)
    })
  }

  await t.test('says that it is offline and goes on when the engine is back', async (t) => {
    const page = await openPage(t, browser, `${api}/dashboard/#key=${keys.data}`, { tolerate: GONE })
    await page.locator('.status[data-look="live"]').waitFor({ timeout: 15_000 })
    const restarted = engine.restart({ awayMs: 3_000 })
    await page.locator('.status', { hasText: /Offline/ }).waitFor({ timeout: 15_000 })
    await page.locator('.now.is-off').waitFor()
    await restarted
    await page.locator('.status[data-look="live"]').waitFor({ timeout: 45_000 })
    await page.locator('.now:not(.is-off)').waitFor()
  })
})
