/** docs/protocol.md says what is so: its examples are the tapes', its events the schemas', its codes and limits the code's. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { API_LIMITS } from '../../api/limits.ts'
import { RULES } from '../../api/lint/lint.ts'
import { PLAYBACK_LIMITS } from '../../api/playback/limits.ts'
import { PROBLEMS } from '../../api/problems.ts'
import { PRODUCER_LIMITS } from '../../producers/limits.ts'
import type { RecordSchema } from '../../schemas/avro.ts'
import { EVENTS, isEventType, RELEASED } from '../../schemas/index.ts'
import { PAGE, quotesOf, textOf } from './quote.ts'
import { readTapes } from './tape.ts'

const page = readFileSync(PAGE, 'utf8')

test('every example is a step of a tape, word for word', () => {
  const quotes = quotesOf(page)
  assert.ok(quotes.length > 20)
  assert.equal(quotes.length, page.match(/<!-- tape /g)?.length, 'a quote is not where it is looked for')
  for (const quote of quotes) assert.equal(quote.text, textOf(quote), `tape ${quote.tape}, step ${quote.step}`)
})

test('every tape is listed with its title, and so is every finding of the lint', () => {
  for (const { name, title } of readTapes()) assert.ok(page.includes(`| \`${name}\` | ${title} |`), name)
  for (const { code, severity } of RULES) assert.ok(page.includes(`| \`${code}\` | ${severity} | `), code)
  const listed = page.match(/^\| `[A-Z_]+` \| (error|warning|hint) \|/gm) ?? []
  assert.equal(listed.length, RULES.length)
})

test('the table of events names what each of them needs, and nothing that does not exist', () => {
  const everywhere = new Set(['meta', 'profileId', 'sessionId', 'titleId', 'sequence', 'positionMs'])
  const lines = page.match(/^\| `(Playback|FirstFrame|Heartbeat|Seek|Stall|Rendition|Ad)[^\n]*/gm) ?? []
  assert.ok(lines.length >= 12)
  for (const line of lines) {
    const [, events = '', , least = '', better = ''] = line.split('|')
    const types = wordsIn(events)
    const fields = types.map((type) => fieldsOf(type))
    for (const name of [...wordsIn(least), ...wordsIn(better)]) {
      assert.ok(
        fields.some((own) => own.has(name)),
        `${types} have no ${name}`,
      )
    }
    for (const [i, own] of fields.entries()) {
      const needed = [...own].flatMap(([name, required]) => (required && !everywhere.has(name) ? [name] : []))
      const said = [...wordsIn(least), ...wordsIn(better)]
      for (const name of needed) assert.ok(said.includes(name), `${types[i]} needs ${name}`)
    }
  }
})

test('limits and codes are those of the code', () => {
  const said: readonly (readonly [string, number | string])[] = [
    ['events in a request', API_LIMITS.eventsPerRequestMax],
    [
      'body, as sent; unpacked from gzip',
      `${API_LIMITS.bodyBytesMax / 2 ** 20} MiB; ${API_LIMITS.inflatedBytesMax / 2 ** 20} MiB`,
    ],
    ['one event, stored', `${API_LIMITS.eventBytesMax / 1_024} KiB`],
    ['stretches in `played`', PLAYBACK_LIMITS.playedRangesMax.toLocaleString('en')],
    ['age of an event', `${PRODUCER_LIMITS.ageMaxMs / 86_400_000} days`],
  ]
  for (const [what, limit] of said) assert.ok(page.includes(`| ${what} | ${limit} |`), `${what}: ${limit}`)
  assert.ok(page.includes(`it lives ${PLAYBACK_LIMITS.slotTtlMs / 1_000} s`))
  const codes = [...page.matchAll(/`([A-Z]+_[A-Z_]+)`/g)].map(([, code]) => code!)
  const known = new Set([...Object.keys(PROBLEMS), ...RULES.map(({ code }) => code)])
  for (const code of codes) assert.ok(known.has(code), `there is no ${code}`)
})

function wordsIn(cell: string): readonly string[] {
  return [...cell.matchAll(/`(\w+)`/g)].map(([, word]) => word!)
}

/** Name → whether a writer has to say it. */
function fieldsOf(type: string): ReadonlyMap<string, boolean> {
  assert.ok(isEventType(type), `${type} is no event`)
  const released = RELEASED.findLast(({ subject }) => subject === EVENTS[type].subject)
  const { fields } = JSON.parse(released!.schema) as RecordSchema
  return new Map(fields.map((field) => [field.name, !('default' in field)]))
}
