/** The format of server-sent events, a chunk at a time. */
import { WEB_LIMITS } from './limits.ts'

export interface SseMessage {
  readonly event: string
  readonly data: string
}

/** Throws where a message has no end: what is kept of a stream is bounded. */
export function createSseParser(): (chunk: string) => readonly SseMessage[] {
  let rest = ''
  return (chunk) => {
    rest += chunk
    if (rest.length > WEB_LIMITS.streamCharsMax) throw new RangeError('a message of the stream is too long')
    const blocks = rest.split(/\r?\n\r?\n/)
    rest = blocks.pop() ?? ''
    return blocks.flatMap(messageOf)
  }
}

function messageOf(block: string): readonly SseMessage[] {
  let event = 'message'
  const data: string[] = []
  for (const line of block.split(/\r?\n/)) {
    const [, field, value = ''] = /^(\w+): ?(.*)$/.exec(line) ?? []
    if (field === 'event') event = value
    else if (field === 'data') data.push(value)
  }
  // A comment, or `retry:` alone: a sign of life and no message.
  return data.length === 0 ? [] : [{ event, data: data.join('\n') }]
}
