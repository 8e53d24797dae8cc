/** The command as it is typed, against an engine as it is started: an audience, its truth, and the engine's word on it. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Comparison } from '../../cli/simulate/compare.ts'
import type { LiveCounts } from '../../cli/simulate/live.ts'
import type { Summary } from '../../cli/simulate/summary.ts'
import { freePorts, playhead, start, tempFolder } from './playhead.ts'

test('playhead simulate --compare', async (t) => {
  const folder = tempFolder(t)
  const env = freePorts(join(folder, 'data'))
  const up = start(t, env, 'up')
  await up.line((line) => line.includes('"msg":"up: '), 'the last word of the start')
  const wrongOf = ({ lines }: Comparison) => lines.filter(({ agrees }) => !agrees)

  await t.test('a live audience, sent over HTTP as players do, agrees with the engine', async (live) => {
    const words = ['--views', '60', '--hours', '0.1', '--speed', '60', '--compare', '--json']
    const { code, out, err } = await playhead(live, env, 'simulate', '--live', ...words)
    const told = JSON.parse(out) as { live: LiveCounts; comparison: Comparison }
    assert.deepEqual(wrongOf(told.comparison), [])
    assert.equal(code, 0, err)
    assert.equal(told.live.rejected, 0)
    assert.ok(told.live.accepted > 200, `${told.live.accepted} events`)
  })

  const words = ['simulate', '--to-log', '--app', 'history', '--views', '60', '--hours', '3', '--compare', '--json']
  await t.test('so does history, of an application of its own', async (history) => {
    const summary = join(folder, 'truth.json')
    const more = ['--fault', 'cdn=fastly,at=1h,for=20m', '--summary', summary]
    const { code, out, err } = await playhead(history, env, ...words, ...more)
    const told = JSON.parse(out) as { events: number; comparison: Comparison }
    assert.deepEqual(wrongOf(told.comparison), [])
    assert.equal(code, 0, err)
    assert.ok(told.events > 1_000)
    const written = JSON.parse(readFileSync(summary, 'utf8')) as Summary
    assert.equal(written.all.metrics.views, told.comparison.lines[0]?.engine)
    assert.equal(written.audience.faults?.length, 1)
  })

  await t.test(
    'with others in the engine than were written, it does not, and the command ends with 1',
    async (others) => {
      const { code, out, err } = await playhead(others, env, ...words, '--seed', 'others')
      assert.equal(code, 1, err)
      const [all] = (JSON.parse(out) as { comparison: Comparison }).comparison.lines
      assert.ok(all?.metric === 'views' && !all.agrees && all.engine! > all.truth!)
    },
  )
})
