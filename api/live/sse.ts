/** A session over server-sent events: what EventSource reads with no library. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { LIVE_LIMITS } from './limits.ts'
import type { LiveMessage } from './message.ts'
import type { Pipe } from './session.ts'

export function openSse(request: FastifyRequest, reply: FastifyReply): Pipe {
  reply.hijack()
  const { raw } = reply
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string | number>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    // A proxy that gathers an answer before it passes it on would pass nothing on.
    'x-accel-buffering': 'no',
    'x-request-id': request.id,
    connection: 'close',
  })
  raw.write(`retry: ${LIVE_LIMITS.sseRetryMs}\n\n`)
  const write = (text: string) => {
    if (!raw.writableEnded && !raw.destroyed) raw.write(text)
  }
  return {
    send: (message) => write(frameOf(message)),
    beat: () => write(': still here\n\n'),
    backlogBytes: () => raw.writableLength,
    end: () => {
      raw.end()
      setTimeout(() => raw.destroy(), LIVE_LIMITS.closeWaitMs).unref()
    },
    cut: () => raw.destroy(),
    onClosed: (closed) => void raw.once('close', closed),
  }
}

/** The id makes a client that comes back say Last-Event-ID. JSON holds no line break, so one data line is enough. */
function frameOf(message: LiveMessage): string {
  const id = message.type === 'progress' ? `id: ${message.version}\n` : message.type === 'ready' ? 'id: ready\n' : ''
  return `${id}event: ${message.type}\ndata: ${JSON.stringify(message)}\n\n`
}
