import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A TCP proxy on loopback that can keep requests back for later, and lose answers. */
export interface HoldingProxy {
  readonly port: number
  /** Keeps back what clients send from now on. Resolves when something is. */
  hold(): Promise<void>
  /** To a client whose request is kept back the connection breaks; to the server it stays. New ones pass. */
  cut(): void
  /** Sends what was kept back, and waits until the server has answered each. */
  deliver(): Promise<void>
  /** Lets the next request through and breaks the connection instead of passing the answer on. Resolves when it did. */
  loseAnswer(): Promise<void>
  close(): Promise<void>
}

interface Pair {
  readonly client: Socket
  readonly server: Socket
  held: Buffer[]
  state: 'passing' | 'losing' | 'cut'
}

export async function holdingProxy(port: number): Promise<HoldingProxy> {
  const pairs = new Set<Pair>()
  let mode: { readonly what: 'hold' | 'lose'; readonly done: () => void } | undefined

  const listener = createServer((client) => {
    const pair: Pair = { client, server: connect(port, '127.0.0.1'), held: [], state: 'passing' }
    pairs.add(pair)
    client.on('data', (bytes) => fromClient(pair, bytes))
    pair.server.on('data', (bytes) => fromServer(pair, bytes))
    client.on('close', () => pair.state !== 'cut' && pair.server.destroy())
    pair.server.on('close', () => {
      pairs.delete(pair)
      client.destroy()
    })
    // A reset is what these tests are about; 'close' follows.
    for (const socket of [client, pair.server]) socket.on('error', () => socket.destroy())
  })

  function fromClient(pair: Pair, bytes: Buffer): void {
    if (mode?.what === 'hold') {
      pair.held.push(bytes)
      mode.done()
      return
    }
    if (mode?.what === 'lose') pair.state = 'losing'
    pair.server.write(bytes)
  }

  function fromServer(pair: Pair, bytes: Buffer): void {
    if (pair.state === 'passing') pair.client.write(bytes)
    else if (pair.state === 'losing') {
      pair.client.destroy()
      mode?.done()
      mode = undefined
    }
  }

  function enter(what: 'hold' | 'lose'): Promise<void> {
    return new Promise((done) => {
      mode = { what, done }
    })
  }

  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port')
  return {
    port: address.port,
    hold: () => enter('hold'),
    cut() {
      mode = undefined
      for (const pair of pairs) {
        if (pair.held.length === 0) continue
        pair.state = 'cut'
        pair.client.destroy()
      }
    },
    async deliver() {
      const waiting = [...pairs].filter(({ state }) => state === 'cut')
      await Promise.all(
        waiting.map(async ({ server, held }) => {
          const answered = once(server, 'data')
          server.write(Buffer.concat(held))
          await answered
          server.destroy()
        }),
      )
    },
    loseAnswer: () => enter('lose'),
    async close() {
      for (const { client, server } of pairs) for (const socket of [client, server]) socket.destroy()
      listener.close()
      await once(listener, 'close')
    },
  }
}
