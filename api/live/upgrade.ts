/**
 * WebSocket on the routes of the HTTP API: an upgrade runs through the router like any request, with the same checks
 * and the same refusals, and its route takes the socket over when they are passed.
 *
 * Once a server listens to upgrades, Node hands it every request with an Upgrade header, also those of clients that
 * offer HTTP/2 with each request (Java's does): such a request is put back without that header.
 */
import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type WebSocket, WebSocketServer } from 'ws'
import { LIVE_LIMITS } from './limits.ts'

interface Upgrade {
  readonly socket: Duplex
  readonly head: Buffer
  readonly response: ServerResponse
}

export class Upgrades {
  readonly #pending = new WeakMap<IncomingMessage, Upgrade>()
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: LIVE_LIMITS.clientBytesMax,
    // A browser that offers protocols fails if none is chosen; the one that holds the token is not repeated if it can be helped.
    handleProtocols: (offered) => (offered.has('playhead') ? 'playhead' : ([...offered][0] ?? false)),
  })

  listen(app: FastifyInstance): void {
    app.server.on('upgrade', (raw: IncomingMessage, socket: Duplex, head: Buffer) => {
      // A client that goes while it is being checked must not take the process with it.
      socket.on('error', () => socket.destroy())
      if (raw.headers.upgrade?.toLowerCase() !== 'websocket') {
        putBack(app, raw, socket, head)
        return
      }
      const response = new ServerResponse(raw)
      response.assignSocket(socket as Parameters<ServerResponse['assignSocket']>[0])
      response.shouldKeepAlive = false
      // Only a refusal is ever finished as a response.
      response.once('finish', () => socket.end())
      this.#pending.set(raw, { socket, head, response })
      app.routing(raw, response)
    })
  }

  wants(request: FastifyRequest): boolean {
    return this.#pending.has(request.raw)
  }

  accept(request: FastifyRequest, reply: FastifyReply): WebSocket {
    const upgrade = this.#pending.get(request.raw)
    if (upgrade === undefined) throw new Error('this request asked for no upgrade')
    this.#pending.delete(request.raw)
    reply.hijack()
    upgrade.response.detachSocket(upgrade.socket as Parameters<ServerResponse['detachSocket']>[0])
    let accepted: WebSocket | undefined
    this.#server.handleUpgrade(request.raw, upgrade.socket, upgrade.head, (socket) => {
      accepted = socket
    })
    if (accepted === undefined) throw new UpgradeRefused()
    return accepted
  }
}

/** ws has answered the client itself: the handshake was malformed. */
export class UpgradeRefused extends Error {}

const HOP_HEADERS = new Set(['upgrade', 'connection', 'http2-settings'])

function putBack(app: FastifyInstance, raw: IncomingMessage, socket: Duplex, head: Buffer): void {
  const lines = [`${raw.method} ${raw.url} HTTP/${raw.httpVersion}`]
  for (let i = 0; i < raw.rawHeaders.length; i += 2) {
    const [name, value] = [raw.rawHeaders[i]!, raw.rawHeaders[i + 1]!]
    if (!HOP_HEADERS.has(name.toLowerCase())) lines.push(`${name}: ${value}`)
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]))
  app.server.emit('connection', socket)
}
