/** `playhead verify`: the tables that are read, held against the log. */
import { UsageError } from '../args.ts'
import { type Command, JSON_FLAG } from '../command.ts'
import { untilInterrupted } from '../interrupt.ts'
import { toJson } from '../json.ts'
import { progress } from '../progress.ts'
import { inReplay } from '../replay/command.ts'
import { type Mismatch, type Verified, verify as verifyOne } from '../replay/verify.ts'

const NAME = 'verify'

export const verify: Command = {
  name: NAME,
  about: `Folds keys of the log afresh and compares them with the tables that are read: all projections with states, or one.
Every difference is named, with the events behind it. It may run while events come in, and changes nothing.
Exit code 0 if all is as it should be, 1 if not.`,
  positionals: [{ name: 'PROJECTION', optional: true }],
  flags: [{ name: 'sample', value: 'PERCENT', help: 'Share of the keys, such as 5 or 0.5 [100]' }, JSON_FLAG],
  examples: ['playhead verify --sample 1', 'playhead verify progress'],
  run: async (args, io) => {
    const percent = Number(args.value('sample') ?? 100)
    if (!(percent >= 0.01 && percent <= 100)) throw new UsageError('--sample wants 0.01 to 100, in percent.', NAME)
    const signal = untilInterrupted()
    const shown = progress(io, 'keys', Date.now)
    const looked = (keys: number, of: number) => shown.show(BigInt(keys), BigInt(of))
    try {
      return await inReplay(io, NAME, async (replay) => {
        const wanted = args.positional('PROJECTION')
        const plans = await replay.operator.plans()
        const names = plans.flatMap(({ name, read }) => (read.projection.keyed === undefined ? [] : [name]))
        const found: Verified[] = []
        for (const name of wanted === undefined ? names : [wanted]) {
          found.push(await verifyOne(replay, name, { permyriad: Math.round(percent * 100), signal, looked }))
        }
        shown.end()
        io.out(args.has('json') ? `${toJson(found, 2)}\n` : wordsOf(found))
        return found.every(({ mismatches }) => mismatches.length === 0) ? 0 : 1
      })
    } finally {
      shown.end()
    }
  },
}

function wordsOf(found: readonly Verified[]): string {
  return found
    .map(({ projection, keys, rows, mismatches }) => {
      const sign = mismatches.length === 0 ? '✓' : '✗'
      const many = mismatches.length === 0 ? 'as the log says' : `${mismatches.length} not as the log says`
      return `${sign} ${projection}: ${rows} rows of ${keys} keys, ${many}\n${mismatches.map(told).join('')}`
    })
    .join('')
}

function told({ key, what, columns, events }: Mismatch): string {
  const name = Object.entries(key)
    .map(([column, value]) => `${column} ${String(value)}`)
    .join(' · ')
  const lines = columns.map((one) => `      ${one.name}: ${short(one.stands)} stands, ${short(one.should)} should\n`)
  const from = events.length === 0 ? '' : `      events: … ${events.join(', ')}\n`
  return `    ${name}: ${what}\n${lines.join('')}${from}`
}

function short(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`
  const text = typeof value === 'string' || typeof value === 'bigint' ? String(value) : toJson(value)
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}
