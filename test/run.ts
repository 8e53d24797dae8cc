/**
 * Runs the suites and closes with one line: `N passed, N failed, N skipped`.
 *
 *   npm test                 what needs nothing but npm packages
 *   npm run test:browser     what needs a browser: Chromium from CHROME_PATH or the PATH
 *   npm run test:cluster     what needs Java, Maven, Python and Go: real servers, real clients (started here)
 *
 * Arguments after the suite's name are files or parts of their names: `npm test -- delivery log/`.
 * Every suite has a budget in minutes; one that goes over it fails. What fails is run once more, and told at the end.
 */
import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'

const SUITES = {
  unit: { budgetMinutes: 25, concurrency: 2, accepts: (path: string) => !/^(cluster|browser)\//.test(path) },
  browser: { budgetMinutes: 18, concurrency: 1, accepts: (path: string) => path.startsWith('browser/') },
  cluster: { budgetMinutes: 25, concurrency: 1, accepts: (path: string) => path.startsWith('cluster/') },
} as const

/** More than these are no bad moment. */
const AGAIN_FILES_MAX = 4
const ERROR_LINES_MAX = 30

const home = fileURLToPath(new URL('.', import.meta.url))

interface Totals {
  passed: number
  failed: number
  skipped: number
}

interface Outcome {
  /** By file. */
  readonly totals: Map<string, Totals>
  /** What failed, for the end of the output, where a reader looks first. */
  readonly failures: { readonly file: string; readonly name: string; readonly error: string }[]
  overBudget: boolean
}

async function main(): Promise<number> {
  const [name = 'unit', ...wanted] = process.argv.slice(2)
  if (!(name in SUITES)) {
    console.error(`there is no suite "${name}": say ${Object.keys(SUITES).join(' or ')}`)
    return 2
  }
  const suite = SUITES[name as keyof typeof SUITES]
  const files = filesOf(home).filter(
    (path) => suite.accepts(path) && (wanted.length === 0 || wanted.some((w) => path.includes(w))),
  )
  if (files.length === 0) {
    console.error('no test file fits')
    return 2
  }
  const servers = name === 'cluster' ? await startServers() : undefined
  try {
    const endMs = Date.now() + suite.budgetMinutes * 60_000
    const outcome = await runFiles(files, endMs, suite.concurrency)
    await runAgain(outcome, endMs)
    const totals = sumOf(outcome)
    console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
    const mayNotSkip = name !== 'unit' && process.env.CI === 'true'
    return totals.failed > 0 || totals.passed === 0 || (mayNotSkip && totals.skipped > 0) ? 1 : 0
  } finally {
    await servers?.stop()
  }
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => relative('', path))
    .sort()
}

function runFiles(files: readonly string[], endMs: number, concurrency: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const outcome: Outcome = { totals: new Map(), failures: [], overBudget: false }
    const leftMs = Math.max(1, endMs - Date.now())
    const budget = AbortSignal.timeout(leftMs)
    const stream = run({ files: files.map((f) => join(home, f)), concurrency, signal: budget, timeout: leftMs })
    const of = (path: string | undefined): Totals => {
      const file = relative(home, path ?? home)
      const totals = outcome.totals.get(file) ?? { passed: 0, failed: 0, skipped: 0 }
      outcome.totals.set(file, totals)
      return totals
    }
    stream.on('test:pass', ({ details, skip, file }) => {
      if (details.type === 'suite') return
      if (skip !== undefined && skip !== false) of(file).skipped++
      else of(file).passed++
    })
    stream.on('test:fail', ({ details, name, file }) => {
      if (details.type === 'suite') return
      of(file).failed++
      const { error } = details
      const cause =
        error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : String(error.cause ?? error)
      outcome.failures.push({ file: relative(home, file ?? home), name, error: cause })
    })
    const report = stream.compose(new spec())
    // The closing line comes last: after the report was written out.
    report.on('end', () => {
      outcome.overBudget = budget.aborted
      resolve(outcome)
    })
    report.pipe(process.stdout, { end: false })
  })
}

/**
 * A file that failed is run once more, alone, and what it does then counts: other people's servers, browsers and players
 * have bad moments on a machine that is busy. Each is told, for a test that needs a second attempt has a fault to be found.
 */
async function runAgain(outcome: Outcome, endMs: number): Promise<void> {
  const failed = [...outcome.totals].filter(([, { failed }]) => failed > 0).map(([file]) => file)
  const hopeless = failed.length > AGAIN_FILES_MAX || failed.includes('') || outcome.overBudget
  if (failed.length === 0 || hopeless) return tell(outcome.failures)
  console.log(`== once more: ${failed.join(', ')}`)
  const again = await runFiles(failed, endMs, 1)
  tell(outcome.failures)
  for (const file of failed) {
    const now = again.totals.get(file)
    if (now === undefined) continue
    outcome.totals.set(file, now)
    if (now.failed === 0) console.log(`NEEDED A SECOND ATTEMPT: ${file}`)
  }
  outcome.overBudget = again.overBudget
}

function tell(failures: Outcome['failures']): void {
  for (const { file, name, error } of failures) {
    const lines = error.split('\n').slice(0, ERROR_LINES_MAX).join('\n  | ')
    console.log(`FAILED ${file}: ${name}\n  | ${lines}`)
  }
}

function sumOf({ totals, overBudget }: Outcome): Totals {
  const sum = { passed: 0, failed: 0, skipped: 0 }
  for (const { passed, failed, skipped } of totals.values()) {
    sum.passed += passed
    sum.failed += failed
    sum.skipped += skipped
  }
  if (overBudget) {
    console.error('the suite went over its budget')
    sum.failed++
  }
  return sum
}

/** One Kafka and one Cassandra for the whole suite; files find them in the environment. */
async function startServers(): Promise<{ stop(): Promise<void> }> {
  const { startKafka } = await import('../deploy/cluster/kafka.ts')
  const { startCassandra } = await import('../deploy/cluster/cassandra.ts')
  const dir = await mkdtemp(join(tmpdir(), 'playhead-cluster-'))
  console.log('starting Kafka and Cassandra …')
  const [kafka, cassandra] = await Promise.all([
    startKafka({ dir: join(dir, 'kafka') }),
    startCassandra({ dir: join(dir, 'cassandra') }),
  ])
  process.env.PLAYHEAD_TEST_KAFKA = `${kafka.host}:${kafka.port}`
  process.env.PLAYHEAD_TEST_CASSANDRA = `${cassandra.host}:${cassandra.port}`
  return {
    stop: async () => {
      await Promise.all([kafka.stop(), cassandra.stop()])
      await rm(dir, { recursive: true, force: true })
    },
  }
}

process.exitCode = await main()
