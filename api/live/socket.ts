/** A session over a WebSocket: one JSON text for each message. */
import type { WebSocket } from 'ws'
import { LIVE_LIMITS } from './limits.ts'
import type { Pipe } from './session.ts'

const GOING_AWAY = 1001

export function openSocket(socket: WebSocket): Pipe {
  let heard = true
  socket.on('pong', () => {
    heard = true
  })
  // ws closes a connection whose frames are malformed or too long; there is nothing to add to that.
  socket.on('error', () => socket.terminate())
  return {
    send: (message) => {
      if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message))
    },
    // A peer that vanished without a word answers no ping.
    beat: () => {
      if (!heard) return socket.terminate()
      heard = false
      if (socket.readyState === socket.OPEN) socket.ping()
    },
    backlogBytes: () => socket.bufferedAmount,
    end: () => {
      socket.close(GOING_AWAY)
      setTimeout(() => socket.terminate(), LIVE_LIMITS.closeWaitMs).unref()
    },
    cut: () => socket.terminate(),
    onClosed: (closed) => void socket.once('close', closed),
  }
}
