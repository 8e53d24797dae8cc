/** `export views` and `compare` as people call them: what is wrong with a call is said, with what to do. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseArgs, UsageError } from '../../cli/args.ts'
import type { Command } from '../../cli/command.ts'
import { compare } from '../../cli/commands/compare.ts'
import { views } from '../../cli/commands/export.ts'
import { dayRange, keptFrom, notBefore } from '../../cli/export/days.ts'
import { holdingFolder } from '../../cli/export/hold.ts'
import { tempFolder } from './playhead.ts'

function call(command: Command, env: Record<string, string>, ...words: readonly string[]): Promise<number> {
  const quiet = { env, tty: false, out: () => undefined, err: () => undefined }
  return (async () => await command.run(parseArgs(command, words), quiet))()
}

test('what is wrong with a call is said, with what to do, before anything is written', async (t) => {
  const dir = tempFolder(t)
  const env = { PLAYHEAD_DATA: join(dir, 'data') }
  const lake = join(dir, 'lake')
  const cases: readonly (readonly [Command, readonly string[], RegExp])[] = [
    [views, [], /wants DIR/],
    [views, [lake, '--from', 'yesterday'], /--from: "yesterday" is no day.*such as 2026-11-21/],
    [views, [lake, '--to', '2026-02-30'], /is no day/],
    [views, [lake, '--from', '2026-11-02', '--to', '2026-11-01'], /is after --to/],
    [views, [lake, '--format', 'orc'], /neither parquet, csv nor ndjson/],
    [views, [lake, '--formt', 'csv'], /Did you mean --format/],
    [compare, ['--by', 'planet'], /none of title, country, cdn/],
    [compare, ['--metric', 'joy'], /none of views, startup_ms/],
    [compare, ['--top', '0'], /--top: 1 to/],
    [compare, ['file.csv'], /doesn't know what to do with "file.csv"/],
  ]
  for (const [command, words, told] of cases) {
    await assert.rejects(call(command, env, ...words), (error) => {
      assert.ok(error instanceof UsageError, `${words.join(' ')}: ${String(error)}`)
      assert.match(error.message, told)
      return true
    })
  }
  assert.ok(!existsSync(lake) && !existsSync(env.PLAYHEAD_DATA))
})

test('a second export into a folder is refused while the first one runs, and welcome afterwards', async (t) => {
  const dir = join(tempFolder(t), 'lake')
  let go: () => void = () => undefined
  let first: Promise<void> | undefined
  await new Promise<void>((begun) => {
    first = holdingFolder(dir, 'export views', async () => {
      begun()
      await new Promise<void>((resolve) => {
        go = resolve
      })
    })
  })
  await assert.rejects(
    holdingFolder(dir, 'export views', async () => undefined),
    /Another export writes to .*process \d+/,
  )
  go()
  await first
  assert.equal(await holdingFolder(dir, 'export views', async () => 'mine'), 'mine')
})

test('a day is a day of UTC, and a range may be open at either end', () => {
  assert.deepEqual(dayRange('2024-02-29', undefined, 'c'), { from: '2024-02-29', to: undefined })
  assert.throws(() => dayRange('2023-02-29', undefined, 'c'), UsageError)
})

test('days that retention has begun to take are left alone, with a day to spare', () => {
  const nowMs = Date.UTC(2026, 10, 21, 12)
  assert.equal(keptFrom(0, nowMs), undefined)
  assert.equal(keptFrom(10, nowMs), '2026-11-13')
  assert.equal(keptFrom(1, nowMs), '2026-11-21')
  assert.deepEqual(notBefore({ from: '2026-11-01', to: undefined }, '2026-11-13'), {
    from: '2026-11-13',
    to: undefined,
  })
  assert.deepEqual(notBefore({ from: '2026-11-20', to: undefined }, '2026-11-13'), {
    from: '2026-11-20',
    to: undefined,
  })
  assert.deepEqual(notBefore({ from: undefined, to: undefined }, undefined), { from: undefined, to: undefined })
})
