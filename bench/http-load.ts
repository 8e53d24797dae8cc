/**
 * A load of HTTP requests from few instructions, so that the server and not the client is measured: raw sockets, the
 * request's bytes made beforehand, answers cut by their Content-Length and otherwise not looked at but for the status.
 */
import { connect, type Socket } from 'node:net'

export interface Load {
  readonly port: number
  readonly connections: number
  readonly durationMs: number
  /** The whole request, with its head. Called once for each. */
  readonly request: (n: number) => Buffer
  /** Any other status fails the run: a benchmark of refusals says nothing. */
  readonly status: number
}

export interface Loaded {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export async function load({ port, connections, durationMs, request, status }: Load): Promise<Loaded> {
  const wanted = `HTTP/1.1 ${status}`
  const latencies: number[] = []
  const begun = performance.now()
  let sent = 0
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = await open(port)
      try {
        while (performance.now() - begun < durationMs) {
          const at = performance.now()
          const answer = await exchange(socket, request(sent++))
          if (!answer.startsWith(wanted)) throw new Error(`wanted ${status}, had ${answer.slice(0, 400)}`)
          latencies.push(performance.now() - at)
        }
      } finally {
        socket.destroy()
      }
    }),
  )
  const seconds = (performance.now() - begun) / 1_000
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0
  return { perSecond: latencies.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99) }
}

export function requestBytes(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body?: string,
): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1']
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
  if (body !== undefined) lines.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`)
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body ?? ''}`)
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket))
    socket.once('error', reject)
  })
}

/** One request, one whole answer. */
function exchange(socket: Socket, bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const done = (end: () => void) => {
      socket.off('data', onData).off('error', onError).off('close', onClose)
      end()
    }
    const onData = (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const head = text.indexOf('\r\n\r\n')
      if (head < 0) return
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(text.slice(0, head))?.[1] ?? 0)
      if (text.length >= head + 4 + length) done(() => resolve(text))
    }
    const onError = (error: Error) => done(() => reject(error))
    const onClose = () => done(() => reject(new Error('the server closed the connection')))
    socket.on('data', onData).on('error', onError).on('close', onClose)
    socket.write(bytes)
  })
}
