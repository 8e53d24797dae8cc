/**
 * `npm run bench [-- --quick] [-- NAME…]`: every figure that the documentation promises, measured as a ratio to the bare
 * library in the same run. `--quick` only shows that the benchmarks run. Benchmarks that need servers say so and are
 * left out unless the servers are there (`npm run cluster`).
 */
import { type Measured, meets } from './bench.ts'

type Bench = { readonly run: (options: { quick: boolean }) => Promise<readonly Measured[]> }

const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  decode: () => import('./decode.ts') as Promise<Bench>,
  fold: () => import('./fold.ts') as Promise<Bench>,
  append: () => import('./append.ts') as Promise<Bench>,
  upsert: () => import('./upsert.ts') as Promise<Bench>,
  events: () => import('./events.ts') as Promise<Bench>,
  progress: () => import('./progress.ts') as Promise<Bench>,
  flat: () => import('./progress-flat.ts') as Promise<Bench>,
  api: () => import('./api.ts') as Promise<Bench>,
  cmcd: () => import('./cmcd.ts') as Promise<Bench>,
  fresh: async () => ({ run: (await import('./api.ts')).runFresh }),
  views: () => import('./views-fold.ts') as Promise<Bench>,
  tables: () => import('./qoe-log.ts') as Promise<Bench>,
  dashboard: () => import('./qoe-api.ts') as Promise<Bench>,
  queries: () => import('./qoe-query.ts') as Promise<Bench>,
  live: () => import('./live.ts') as Promise<Bench>,
  kafka: () => import('./kafka-produce.ts') as Promise<Bench>,
  replay: () => import('./replay.ts') as Promise<Bench>,
  cluster: async () => ({ run: (await import('./replay-cluster.ts')).runClusterRebuild }),
  simulator: () => import('./simulator.ts') as Promise<Bench>,
  sdk: () => import('./sdk.ts') as Promise<Bench>,
  memory: () => import('./memory.ts') as Promise<Bench>,
}

const args = process.argv.slice(2)
const quick = args.includes('--quick')
const wanted = args.filter((a) => !a.startsWith('--'))
const unknown = wanted.filter((name) => !(name in BENCHES))
if (unknown.length > 0) {
  console.error(`no benchmark "${unknown.join('", "')}"; there are ${Object.keys(BENCHES).join(', ')}`)
  process.exit(2)
}

let missed = 0
for (const [name, load] of Object.entries(BENCHES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const { run } = await load()
  for (const measured of await run({ quick })) {
    const met = quick ? undefined : meets(measured)
    if (met === false) missed++
    console.log(line(measured, met))
  }
}
if (quick) console.log('quick: these figures mean nothing, the benchmarks ran')
process.exitCode = missed > 0 ? 1 : 0

function line({ name, ours, bare, ratio, unit, bar, note }: Measured, met: boolean | undefined): string {
  const mark = met === undefined ? ' ' : met ? '✓' : '✗'
  const figures = [`${shown(ours)} ${unit}`]
  if (bare !== undefined) figures.push(`bare ${shown(bare)}`)
  if (ratio !== undefined) figures.push(`ratio ${ratio.toFixed(2)}`)
  if (bar !== undefined) figures.push('atLeast' in bar ? `wanted ≥ ${bar.atLeast}` : `wanted ≤ ${bar.atMost}`)
  if (note !== undefined) figures.push(note)
  return `${mark} ${name}: ${figures.join(' · ')}`
}

function shown(n: number): string {
  return n >= 100 ? Math.round(n).toLocaleString('en') : n.toFixed(2)
}
