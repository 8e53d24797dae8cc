/**
 * What docs/protocol.md quotes: each request of a tape with its answer, as text. A block in the page that follows
 * `<!-- tape NAME N -->` is step N of that tape, word for word; `node --import tsx test/protocol/quote.ts` writes them
 * anew from the tapes.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Json, readTapes, type Step } from './tape.ts'

export const PAGE = fileURLToPath(new URL('../../docs/protocol.md', import.meta.url))
const WIDTH = 112

/** `request` or `answer` alone where both would repeat what was shown before; of a batch its `events` alone. */
const QUOTE = /<!-- tape ([\w-]+) (\d+)(?: (request|answer|events))? -->\n```(?:http|json)\n([\s\S]*?)```/g

export interface Quote {
  readonly tape: string
  readonly step: number
  readonly part: 'request' | 'answer' | 'events' | undefined
  readonly text: string
}

export function quotesOf(page: string): readonly Quote[] {
  return [...page.matchAll(QUOTE)].map(([, tape = '', step, part, text = '']) => ({
    tape,
    step: Number(step),
    part: part as Quote['part'],
    text,
  }))
}

export function textOf({ tape, step, part }: Omit<Quote, 'text'>): string {
  const found = readTapes().find(({ name }) => name === tape)?.steps[step - 1]
  if (found === undefined) throw new Error(`there is no step ${step} of a tape ${tape}`)
  if (part === 'events') return eventsOf(found)
  const parts = [...(part === 'answer' ? [] : [requestOf(found)]), ...(part === 'request' ? [] : [answerOf(found)])]
  return parts.join('\n')
}

function eventsOf({ body }: Step): string {
  const { events } = body as { readonly events: readonly Json[] }
  return events.map((event) => `${layout(event)}\n`).join('')
}

function requestOf({ method, path, headers, body, text }: Step): string {
  const content = text === undefined ? body : text.join('\n')
  return messageOf(`${method} ${path}`, headers, content)
}

function answerOf({ answer: { status, headers, body } }: Step): string {
  return messageOf(`HTTP ${status}`, headers, body)
}

function messageOf(first: string, headers: Step['headers'], body: Json | undefined): string {
  const head = [first, ...Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}`)].join('\n')
  const whole = body === undefined ? head : `${head}\n\n${typeof body === 'string' ? body : layout(body)}`
  return `${whole.replaceAll('"{{any}}"', '…').replaceAll('{{any}}', '…')}\n`
}

/** JSON as a person would lay it out: as much in a line as fits. */
function layout(value: Json, indent = 0): string {
  const one = JSON.stringify(value).replace(/("(?:[^"\\]|\\.)*")|[,:]/g, (found, text?: string) => text ?? `${found} `)
  if (typeof value !== 'object' || value === null || one.length + indent <= WIDTH) return one
  const parts = Array.isArray(value)
    ? value.map((item: Json) => layout(item, indent + 2))
    : Object.entries(value).map(([name, item]) => `"${name}": ${layout(item, indent + 2)}`)
  const lines: string[] = []
  for (const part of parts) {
    const last = lines.at(-1)
    const joined = `${last}, ${part}`
    const fits = last !== undefined && !joined.includes('\n') && joined.length + indent + 2 <= WIDTH
    if (fits) lines[lines.length - 1] = joined
    else lines.push(part)
  }
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  const pad = ' '.repeat(indent + 2)
  return `${open}\n${lines.map((line) => pad + line).join(',\n')}\n${' '.repeat(indent)}${close}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const page = readFileSync(PAGE, 'utf8')
  const written = page.replace(QUOTE, (whole, tape: string, step: string, part: Quote['part'], text: string) => {
    const fresh = textOf({ tape, step: Number(step), part })
    return `${whole.slice(0, whole.length - text.length - 3)}${fresh}\`\`\``
  })
  writeFileSync(PAGE, written)
}
