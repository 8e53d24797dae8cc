import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { afterEnding, EXIT_INCURABLE } from '../../cli/backoff.ts'
import { CLI_LIMITS } from '../../cli/limits.ts'
import type { LogLine } from '../../cli/output.ts'
import { type RoleSpec, Supervisor, type SupervisorPorts } from '../../cli/supervisor.ts'

const CHILD = fileURLToPath(new URL('./role-child.ts', import.meta.url))

interface Stage {
  readonly dir: string
  readonly lines: LogLine[]
  readonly supervisor: Supervisor
  diary(name: string): readonly string[]
}

type Behaviours = Readonly<Record<string, string>>

function stage(
  t: TestContext,
  roles: Behaviours,
  limits: Partial<SupervisorPorts> = {},
  onDemand: Behaviours = {},
): Stage {
  const dir = mkdtempSync(join(tmpdir(), 'playhead-supervisor-'))
  const lines: LogLine[] = []
  const specOf = ([name, behaviour]: readonly [string, string]): RoleSpec => ({
    name,
    command: process.execPath,
    args: ['--import', 'tsx', CHILD, join(dir, name), behaviour],
    env: (facts) => ({ GOT_PORT: facts.get('first')?.port?.toString() }),
  })
  const ports = { nowMs: Date.now, emit: (line: LogLine) => lines.push(line), ...limits }
  const supervisor = new Supervisor(Object.entries(roles).map(specOf), ports, Object.entries(onDemand).map(specOf))
  t.after(async () => {
    supervisor.kill()
    await supervisor.over()
    rmSync(dir, { recursive: true, force: true })
  })
  const diary = (name: string) =>
    existsSync(join(dir, name)) ? readFileSync(join(dir, name), 'utf8').trim().split('\n') : []
  return { dir, lines, supervisor, diary }
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadlineMs = Date.now() + 15_000
  while (!condition()) {
    assert.ok(Date.now() < deadlineMs, `never came: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('roles start one after the other, learn what the earlier ones told, and drain in reverse', async (t) => {
  const { supervisor, lines, diary } = stage(t, { first: 'well', second: 'well' })
  assert.equal(await supervisor.start(), true)
  assert.deepEqual(supervisor.states(), { first: 'ready', second: 'ready' })
  await until(() => lines.some((l) => l.role === 'second' && l.msg === 'hello'), 'the second role’s line')
  assert.equal(lines.find((l) => l.role === 'second')?.port, '7')
  await supervisor.stop()
  assert.deepEqual(await supervisor.over(), {})
  const stopped = lines.filter((l) => l.msg.includes(' stopped after ')).map((l) => l.msg.split(' ')[0])
  assert.deepEqual(stopped, ['second', 'first'])
  for (const name of ['first', 'second']) assert.match(diary(name).at(-1) ?? '', /^drained/)
})

test('a role that crashes is started again while the others go on', async (t) => {
  const { supervisor, diary, lines } = stage(t, { first: 'well', second: 'crashes-once' })
  assert.equal(await supervisor.start(), true)
  await until(() => diary('second').length === 2 && supervisor.facts().get('second')?.port === 2, 'the restart')
  assert.equal(diary('first').length, 1)
  assert.deepEqual(supervisor.states(), { first: 'ready', second: 'ready' })
  assert.ok(lines.some((l) => l.role === 'up' && /second ended with code 3: started again in 250 ms/.test(l.msg)))
})

test('a role killed from outside is started again', async (t) => {
  const { supervisor, diary } = stage(t, { only: 'well' })
  await supervisor.start()
  process.kill(Number(diary('only')[0]?.split(' ')[1]), 'SIGKILL')
  await until(() => diary('only').length === 2 && supervisor.states().only === 'ready', 'the restart')
})

test('what a restart can’t cure is given up at once, with the role’s last words, and the others drain', async (t) => {
  const { supervisor, diary } = stage(t, { first: 'well', second: 'incurable' })
  assert.equal(await supervisor.start(), false)
  const { gaveUp } = await supervisor.over()
  assert.equal(gaveUp?.role, 'second')
  assert.deepEqual(gaveUp.lastWords, ['port 8080 (PLAYHEAD_PORT) is in use'])
  assert.match(diary('first').at(-1) ?? '', /^drained/)
  assert.equal(supervisor.states().second, 'given up')
})

test('a role that is never ready, or never drains, is killed', async (t) => {
  const slow = stage(t, { only: 'never-ready' }, { readyTimeoutMs: 1_500 })
  void slow.supervisor.start()
  await until(() => slow.lines.some((l) => /not ready in time/.test(l.msg)), 'the kill')
  await until(() => slow.lines.some((l) => /SIGKILL/.test(l.msg)), 'the ending')
  const stubborn = stage(t, { only: 'never-drains' }, { drainTimeoutMs: 300 })
  await stubborn.supervisor.start()
  await stubborn.supervisor.stop()
  assert.ok(stubborn.lines.some((l) => /did not drain in time: killed/.test(l.msg)))
})

test('no role outlives a supervisor that is killed', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'playhead-orphan-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  const diary = join(dir, 'role')
  const script = `
    import { Supervisor } from ${JSON.stringify(new URL('../../cli/supervisor.ts', import.meta.url).href)}
    const args = ['--import', 'tsx', ${JSON.stringify(CHILD)}, ${JSON.stringify(diary)}, 'well']
    const role = { name: 'role', command: process.execPath, args, env: () => ({}) }
    await new Supervisor([role], { nowMs: Date.now, emit: () => undefined }).start()
    console.log('up')`
  const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise((resolve) => parent.stdout.once('data', resolve))
  parent.kill('SIGKILL')
  await until(() => readFileSync(diary, 'utf8').includes('orphaned'), 'the role’s end')
})

test('back-off doubles up to its ceiling, forgets after a good run, and gives up in the end', () => {
  const pauses: number[] = []
  let failures = 0
  for (;;) {
    const verdict = afterEnding({ code: 1, upMs: 10 }, failures)
    if (!verdict.restart) break
    pauses.push(verdict.pauseMs)
    failures = verdict.failures
  }
  assert.equal(pauses.length, CLI_LIMITS.restartsMax)
  assert.deepEqual(pauses.slice(0, 3), [250, 500, 1000])
  assert.equal(Math.max(...pauses), CLI_LIMITS.restartCeilingMs)
  const after = afterEnding({ code: 1, upMs: CLI_LIMITS.restartForgetMs }, failures)
  assert.deepEqual(after, { restart: true, pauseMs: 250, failures: 1 })
  assert.equal(afterEnding({ code: EXIT_INCURABLE, upMs: 10 }, 0).restart, false)
})

const pids = (lines: readonly string[], what: string) =>
  lines.filter((l) => l.startsWith(what)).map((l) => l.split(' ')[1])

test('what a role wants runs while it is wanted: so many, restarted when killed, drained when wanted no more', async (t) => {
  const { supervisor, diary } = stage(t, { first: 'wants-two', second: 'well' }, {}, { extra: 'well' })
  assert.equal(await supervisor.start(), true)
  await until(() => pids(diary('extra'), 'started').length === 2, 'two that are wanted')
  await until(() => supervisor.states().extra === 'ready', 'they are ready')
  process.kill(Number(pids(diary('extra'), 'started')[0]), 'SIGKILL')
  await until(() => pids(diary('extra'), 'started').length === 3, 'one in place of the one that was killed')
  await until(() => supervisor.states().extra === 'ready', 'it is ready')
  process.kill(Number(pids(diary('first'), 'started')[0]), 'SIGUSR2')
  await until(() => !('extra' in supervisor.states()), 'nobody wants them')
  assert.deepEqual(pids(diary('extra'), 'drained').sort(), pids(diary('extra'), 'started').slice(1).sort())
  assert.equal(pids(diary('extra'), 'started').length, 3, 'what was told to end is not restarted')
  assert.deepEqual([supervisor.states().first, supervisor.states().second], ['ready', 'ready'])
})

test('one that is wanted and can not run stops nothing, and ends with the rest', async (t) => {
  const { supervisor, lines } = stage(t, { first: 'wants-two', second: 'well' }, {}, { extra: 'incurable' })
  assert.equal(await supervisor.start(), true)
  await until(
    () => lines.filter((l) => l.msg.includes('extra ended with code 78: started again')).length >= 2,
    'both fail',
  )
  assert.deepEqual([supervisor.states().first, supervisor.states().second], ['ready', 'ready'])
  await supervisor.stop()
  assert.deepEqual(await supervisor.over(), {})
})
