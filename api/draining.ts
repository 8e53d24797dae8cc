/**
 * A server that closes waits for its connections. Node closes those that are idle at that moment, and leaves two kinds
 * that would hold the process until their time-outs: those that were busy then and become idle later, and those on which
 * no request ever came (browsers and HTTP clients open them ahead), which it takes for busy. The first are looked for
 * again and again, the second get a moment, for a request that is on its way, and are cut.
 */
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { API_LIMITS } from './limits.ts'

export function addDraining(app: FastifyInstance): void {
  const unused = new Set<Socket>()
  app.server.on('connection', (socket) => {
    unused.add(socket)
    socket.once('close', () => unused.delete(socket))
  })
  app.server.on('request', (request) => unused.delete(request.socket))
  app.addHook('preClose', async () => {
    if (!app.server.listening) return
    const sweep = setInterval(() => app.server.closeIdleConnections(), API_LIMITS.idleSweepMs)
    const cut = setTimeout(() => {
      for (const socket of unused) socket.destroy()
    }, API_LIMITS.unusedConnectionMs)
    app.server.once('close', () => {
      clearInterval(sweep)
      clearTimeout(cut)
    })
  })
}
