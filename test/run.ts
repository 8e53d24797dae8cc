/**
 * Runs the suites and closes with one line: `N passed, N failed, N skipped`.
 *
 *   npm test                 what needs nothing but npm packages
 *   npm run test:browser     what needs a browser: Chromium from CHROME_PATH or the PATH
 *   npm run test:cluster     what needs Java, Maven, Python and Go: real servers, real clients (started here)
 *
 * Arguments after the suite's name are files or parts of their names: `npm test -- delivery log/`.
 * Every suite has a budget in minutes; one that goes over it fails.
 */
import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'

const SUITES = {
  unit: { budgetMinutes: 18, concurrency: 2, accepts: (path: string) => !/^(cluster|browser)\//.test(path) },
  browser: { budgetMinutes: 15, concurrency: 1, accepts: (path: string) => path.startsWith('browser/') },
  cluster: { budgetMinutes: 16, concurrency: 1, accepts: (path: string) => path.startsWith('cluster/') },
} as const

const home = fileURLToPath(new URL('.', import.meta.url))

interface Totals {
  passed: number
  failed: number
  skipped: number
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
    const totals = await runFiles(files, suite.budgetMinutes, suite.concurrency)
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

function runFiles(files: readonly string[], budgetMinutes: number, concurrency: number): Promise<Totals> {
  return new Promise((resolve) => {
    const totals: Totals = { passed: 0, failed: 0, skipped: 0 }
    const budget = AbortSignal.timeout(budgetMinutes * 60_000)
    const stream = run({
      files: files.map((f) => join(home, f)),
      concurrency,
      signal: budget,
      timeout: budgetMinutes * 60_000,
    })
    stream.on('test:pass', (event) => {
      if (event.details.type === 'suite') return
      if (event.skip !== undefined && event.skip !== false) totals.skipped++
      else totals.passed++
    })
    stream.on('test:fail', (event) => {
      if (event.details.type !== 'suite') totals.failed++
    })
    const report = stream.compose(new spec())
    // The closing line comes last: after the report was written out.
    report.on('end', () => {
      if (budget.aborted) {
        console.error(`the suite went over its budget of ${budgetMinutes} minutes`)
        totals.failed++
      }
      resolve(totals)
    })
    report.pipe(process.stdout, { end: false })
  })
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
