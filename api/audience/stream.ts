/**
 * One client of the live numbers, over server-sent events. States: open → closed, by the client, by its slowness, by
 * its age, or by this process's end. A frame replaces the one before it, so a client that is still taking one misses
 * the next instead of getting them all too late; one that takes none is cut.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AudienceFrames } from './frames.ts'
import { AUDIENCE_LIMITS } from './limits.ts'

const HEAD = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  // A proxy that gathers an answer before it passes it on would pass nothing on.
  'x-accel-buffering': 'no',
  connection: 'close',
}

export class AudienceStreams {
  readonly #frames: AudienceFrames
  readonly #open = new Set<(reason: 'closing' | 'expired') => void>()

  constructor(frames: AudienceFrames) {
    this.#frames = frames
  }

  get size(): number {
    return this.#open.size
  }

  open(request: FastifyRequest, reply: FastifyReply): void {
    reply.hijack()
    const { raw } = reply
    raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string | number>),
      ...HEAD,
      'x-request-id': request.id,
    })
    raw.write(`retry: ${AUDIENCE_LIMITS.sseRetryMs}\n\n`)
    let missed = 0
    const leave = this.#frames.listen(({ atMs, text }) => {
      if (raw.writableLength > text.length) {
        missed += 1
        if (missed > AUDIENCE_LIMITS.missedFramesMax) raw.destroy()
        return
      }
      missed = 0
      raw.write(`id: ${atMs}\nevent: audience\ndata: ${text}\n\n`)
    })
    const end = (reason: string) => {
      if (!this.#open.delete(end)) return
      leave()
      clearTimeout(expiry)
      if (raw.writableEnded || raw.destroyed) return
      raw.end(`event: end\ndata: ${JSON.stringify({ reason })}\n\n`)
      setTimeout(() => raw.destroy(), AUDIENCE_LIMITS.closeWaitMs).unref()
    }
    const expiry = setTimeout(() => end('expired'), AUDIENCE_LIMITS.streamMsMax)
    this.#open.add(end)
    raw.once('close', () => end('closing'))
    // It may have gone while its key was looked at.
    if (raw.destroyed) end('closing')
    // A connection that breaks while it is written to is closed, and that is all there is to it.
    raw.on('error', () => raw.destroy())
  }

  end(): void {
    for (const end of [...this.#open]) end('closing')
  }
}
