/** docs/qoe.md and the registry say the same of every metric and dimension. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { catalogue } from '../../api/qoe/catalogue.ts'
import { isMinuteMeasure, isViewMeasure, type Measure } from '../../api/qoe/columns.ts'
import { measuresOf } from '../../api/qoe/formulas.ts'
import { METRIC_NAMES, metricOf } from '../../api/qoe/metric.ts'

const { metrics, dimensions } = catalogue()

/** A line of the table in docs/qoe.md for each metric and definition. */
function tableLines(): readonly string[] {
  return metrics.flatMap(({ name, unit, formulas }) =>
    Object.entries(formulas).map(([definition, formula], i) => {
      const first = i === 0 ? `\`${name}\`` : ''
      const whose = Object.keys(formulas).length > 1 ? definition : ''
      return `| ${first} | ${i === 0 ? unit : ''} | ${whose} | ${formula} |`
    }),
  )
}

test('the docs have every metric with its formula by each definition, and every dimension', async () => {
  const docs = await readFile(new URL('../../docs/qoe.md', import.meta.url), 'utf8')
  for (const line of tableLines()) assert.ok(docs.includes(line), `docs/qoe.md lacks\n${line}`)
  for (const { name } of dimensions) assert.ok(docs.includes(`\`${name}\``), name)
  const inDocs = [...docs.matchAll(/^\| `([a-z0-9_]+)` \|/gm)].map(([, name]) => name)
  for (const name of inDocs)
    assert.ok((METRIC_NAMES as readonly string[]).includes(String(name)), `${name} is no metric`)
})

test('every formula is made of columns that can be summed, and every metric has words for people', () => {
  const alive: readonly Measure[] = ['alive', 'alive_unstarted']
  for (const name of METRIC_NAMES) {
    const metric = metricOf(name)
    assert.ok(metric.title.length > 0 && metric.help.length > 10, name)
    const formulas = metric.kind === 'ratio' ? [metric.formula, ...Object.values(metric.others ?? {})] : []
    for (const measure of formulas.flatMap((formula) => measuresOf(formula))) {
      assert.ok(isViewMeasure(measure) || isMinuteMeasure(measure) || alive.includes(measure), `${name}: ${measure}`)
    }
  }
})
