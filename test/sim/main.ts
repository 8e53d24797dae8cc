/**
 * `npm run simulate:faults`: many seeds, one seed with what happened in it, or seeds until Ctrl-C. Exit code 1 when a seed
 * finds a violation, with the command that shows it again; 2 when it is asked for something it does not know.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { bar } from '../../cli/progress.ts'
import { nearest } from '../../schemas/index.ts'
import { type Found, runSeeds, seedThatFinds } from './outcome.ts'
import { type Bug, PLANTED } from './planted.ts'
import { reportOf } from './report.ts'
import type { Run } from './run.ts'

const HELP = `The entire engine under one seed, with faults; see docs/simulation.md.

  npm run simulate:faults -- [options]

  --seed N        the first seed (default 1; without --seeds: this one only)
  --seeds N       how many (default 300)
  --verbose       what happened in each seed, line by line
  --forever       seed after seed, until Ctrl-C or until one finds something
  --control       nothing goes wrong but what players do
  --planted NAME  with a bug planted that must be found; --planted list names them
  --report FILE   write a report as Markdown, with every planted bug and the seed that finds it
  --help

  npm run simulate:faults -- --seed 142 --verbose
  npm run simulate:faults -- --seeds 10000 --report docs/simulation.md
`

const OPTIONS = {
  seed: { type: 'string' },
  seeds: { type: 'string' },
  verbose: { type: 'boolean', default: false },
  forever: { type: 'boolean', default: false },
  control: { type: 'boolean', default: false },
  planted: { type: 'string' },
  report: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const

const SEEDS = 300
const SEEDS_TO_FIND = 200
const DRAW_EVERY_MS = 200
/** Lines of a trace that are shown without --verbose. */
const TAIL_LINES = 30

type Asked = ReturnType<typeof read>

function read(args: readonly string[]) {
  const { values } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: false })
  const first = whole('--seed', values.seed) ?? 1
  const usual = values.seed === undefined ? SEEDS : 1
  const seeds = values.forever ? Number.POSITIVE_INFINITY : (whole('--seeds', values.seeds) ?? usual)
  return { ...values, first, seeds, bug: bugNamed(values.planted) }
}

function whole(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const n = Number(text)
  if (!Number.isSafeInteger(n) || n < 1) throw new TypeError(`${flag} takes a whole number from 1 on, not "${text}"`)
  return n
}

function bugNamed(name: string | undefined): Bug | undefined {
  if (name === undefined || name === 'list') return undefined
  const bug = PLANTED[name]
  if (bug !== undefined) return bug
  const near = nearest(name, Object.keys(PLANTED))
  const hint = near === undefined ? '--planted list names them' : `did you mean ${near}?`
  throw new TypeError(`no planted bug is called "${name}": ${hint}`)
}

async function main(args: readonly string[]): Promise<number> {
  let asked: Asked
  try {
    asked = read(args)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${HELP}`)
    return 2
  }
  if (asked.help) return say(HELP)
  if (asked.planted === 'list')
    return say(
      Object.entries(PLANTED)
        .map(([name, { what }]) => `${name}: ${what}\n`)
        .join(''),
    )
  return await simulateAll(asked)
}

function say(text: string): number {
  process.stdout.write(text)
  return 0
}

async function simulateAll(asked: Asked): Promise<number> {
  const { first, seeds, bug, control, report } = asked
  const interrupted = new AbortController()
  process.once('SIGINT', () => interrupted.abort())
  const begunMs = Date.now()
  const begunCpu = process.cpuUsage()
  const show = shown(asked, begunMs)
  const outcome = await runSeeds({
    ...{ first, seeds, undisturbed: control, ...(bug && { bug }) },
    went: (done, found, run) => {
      show(done, found, run)
      // A report tells all that a run found; else the first is enough.
      return !interrupted.signal.aborted && (found === undefined || report !== undefined)
    },
  })
  const tookMs = Date.now() - begunMs
  const cpu = process.cpuUsage(begunCpu)
  const rate = Math.round((outcome.seeds * 60_000) / Math.max(1, tookMs))
  const wrong = outcome.found.length
  say(`${outcome.seeds} seeds, ${wrong === 0 ? 'no violation' : `${wrong} with violations`}, ${rate} a minute\n`)
  if (report !== undefined) {
    const cpuMs = (cpu.user + cpu.system) / 1_000
    writeFileSync(report, reportOf({ outcome, tookMs, cpuMs, bugs: await everyBug() }))
    say(`${report} is written\n`)
  }
  return wrong === 0 ? 0 : 1
}

function shown({ verbose, planted, control, seeds }: Asked, begunMs: number) {
  const tty = process.stderr.isTTY === true
  let drawnMs = begunMs
  return (done: number, found: Found | undefined, { engine: { world, cast } }: Run): void => {
    const nowMs = Date.now()
    const clear = tty ? '\r\u001b[K' : ''
    if (verbose) {
      say(`projections: ${[...cast].join(', ')}\n${world.trace.join('\n')}\n`)
      for (const [what, times] of world.counts) say(`${times} × ${what}\n`)
    }
    if (found !== undefined) {
      const how = `${planted === undefined ? '' : ` --planted ${planted}`}${control ? ' --control' : ''}`
      const tail = verbose ? '' : `${world.trace.slice(-TAIL_LINES).join('\n')}\n`
      say(`${clear}seed ${found.seed}:\n  ${found.wrong.join('\n  ')}\n${tail}`)
      say(`show it again: npm run simulate:faults -- --seed ${found.seed}${how} --verbose\n`)
    }
    if (!tty || verbose || nowMs - drawnMs < DRAW_EVERY_MS) return
    drawnMs = nowMs
    const far = Number.isFinite(seeds) ? bar(BigInt(done), BigInt(seeds), nowMs - begunMs) : `${done}`
    process.stderr.write(`${clear}${far} seeds`)
    if (done === seeds) process.stderr.write(clear)
  }
}

async function everyBug() {
  const bugs: { name: string; bug: Bug; seed: number | undefined }[] = []
  for (const [name, bug] of Object.entries(PLANTED)) {
    bugs.push({ name, bug, seed: (await seedThatFinds(bug, SEEDS_TO_FIND))?.seed })
  }
  return bugs
}

process.exitCode = await main(process.argv.slice(2))
