/** docs/alerts.md and the rules of Prometheus say what the code does. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { WATCHED_METRICS } from '../../projections/incidents/metrics.ts'
import type { Rule } from '../../projections/incidents/rule.ts'
import { rulesInForce } from '../../projections/incidents/rules.ts'
import { SHIPPED_RULES } from '../../projections/incidents/shipped.ts'

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8')

function between(text: string, mark: string): string {
  const [, after = ''] = text.split(`${mark}: begin`)
  return after.split(`${mark}: end`)[0]!.split('\n').slice(1, -1).join('\n').trim()
}

function line(rule: Rule): string {
  const { name, severity, metric, direction, threshold, resolveThreshold, beforeMinutes, by, forMinutes, minViews } =
    rule
  const limit = beforeMinutes === null ? `${threshold}` : `${threshold} × what it was ${beforeMinutes} min before`
  const opens = `\`${metric}\` ${direction} ${limit} (resolves from ${resolveThreshold})${by === null ? '' : `, by \`${by}\``}`
  return `| \`${name}\` | ${severity} | ${opens} | ${forMinutes} min | ${minViews} |`
}

test('the page shows the shipped rules as they are', async () => {
  const shown = between(await read('docs/alerts.md'), '<!-- rules')
    .split('\n')
    .slice(2)
  assert.deepEqual(shown, SHIPPED_RULES.map(line))
})

test('the rules that the page shows as an example are good ones', async () => {
  const [, json = ''] = /```json\n(\{\n {2}"rules"[\s\S]*?\n)```/.exec(await read('docs/alerts.md')) ?? []
  const names = rulesInForce(JSON.parse(json)).map(({ name }) => name)
  assert.ok(names.includes('slow-start-in-peru') && names.includes('audience-gone') && !names.includes('traffic'))
})

test('the receiver that the page shows is the one that is tested', async () => {
  const code = between(await read('test/docs/webhook-receiver.ts'), '// docs').trim()
  assert.equal(between(await read('docs/alerts.md'), '<!-- receiver'), `\`\`\`ts\n${code}\n\`\`\``)
})

test('the page names every metric that a rule may watch', async () => {
  const page = await read('docs/alerts.md')
  const missing = Object.keys(WATCHED_METRICS).filter((name) => !page.includes(name) && !/p(75|90|95)_ms$/.test(name))
  assert.deepEqual(missing, [])
})

test('the rules of Prometheus ask for metrics that there are, by labels that they have', async () => {
  const files = ['api/metrics.ts', 'consumers/metrics.ts', 'consumers/alerts/metrics.ts', 'cli/audit/metrics.ts']
  const sources = await Promise.all(files.map(read))
  const names = new Set(sources.join('\n').match(/(?<=name: ')playhead_\w+(?=')/g))
  const asked = [...(await read('deploy/prometheus/rules.yml')).matchAll(/playhead_[a-z_]+/g)].map(([name]) => name)
  assert.ok(asked.length > 10)
  for (const name of asked) assert.ok(names.has(name.replace(/_bucket$/, '')), name)
})
