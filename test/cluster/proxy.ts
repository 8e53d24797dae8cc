/**
 * A TCP proxy that understands where a Kafka request and its answer begin, so that a test can lose one answer: the broker
 * has done what it was asked, and the client is never told.
 */
import { connect, createServer, type Socket } from 'node:net'

export interface LossyProxy {
  readonly port: number
  /** Answers lost so far. */
  readonly lost: number
  /** The next `count` answers to this kind of request are not delivered; their connections are cut. */
  loseAnswers(apiKey: number, count: number): void
  close(): Promise<void>
}

/** Kafka's number for the Produce request. */
export const PRODUCE = 0

export async function startProxy(target: () => number): Promise<LossyProxy> {
  const doomed = new Map<number, number>()
  const sockets = new Set<Socket>()
  let lost = 0
  const server = createServer((client) => {
    const broker = connect({ host: '127.0.0.1', port: target() })
    const kinds = new Map<number, number>()
    const cut = () => {
      client.destroy()
      broker.destroy()
    }
    for (const socket of [client, broker]) {
      sockets.add(socket)
      socket.on('error', cut).on('close', () => {
        sockets.delete(socket)
        cut()
      })
    }
    client.on(
      'data',
      frames((frame) => {
        kinds.set(frame.readInt32BE(8), frame.readInt16BE(4))
        broker.write(frame)
      }),
    )
    broker.on(
      'data',
      frames((frame) => {
        const kind = kinds.get(frame.readInt32BE(4)) ?? -1
        kinds.delete(frame.readInt32BE(4))
        const left = doomed.get(kind) ?? 0
        if (left > 0) {
          doomed.set(kind, left - 1)
          lost++
          cut()
        } else client.write(frame)
      }),
    )
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as { port: number }).port,
    get lost() {
      return lost
    },
    loseAnswers: (apiKey, count) => void doomed.set(apiKey, count),
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Calls back with whole frames, their length in front. */
function frames(take: (frame: Buffer) => void): (data: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (data) => {
    rest = Buffer.concat([rest, data])
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const end = 4 + rest.readInt32BE(0)
      take(rest.subarray(0, end))
      rest = rest.subarray(end)
    }
  }
}
