import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import Fastify from 'fastify'
import { addDraining } from '../../api/draining.ts'

test('a connection on which nothing was ever asked does not hold a server that closes', {
  timeout: 5_000,
}, async (t) => {
  const app = Fastify({ keepAliveTimeout: 60_000, forceCloseConnections: 'idle' })
  addDraining(app)
  app.get('/', async () => 'here')
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  await Promise.all([once(socket, 'connect'), once(app.server, 'connection')])
  await app.close()
})

test('a request that is under way is answered before the server is closed', { timeout: 10_000 }, async () => {
  const app = Fastify({ keepAliveTimeout: 60_000, forceCloseConnections: 'idle' })
  addDraining(app)
  let release: () => void = () => undefined
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const arrived = new Promise<void>((arrive) => {
    app.get('/slow', async () => {
      arrive()
      await held
      return 'done'
    })
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const answered = fetch(`http://127.0.0.1:${port}/slow`)
  await arrived
  const closed = app.close()
  // Longer than a connection without a request is given.
  setTimeout(release, 700)
  assert.equal(await (await answered).text(), 'done')
  await closed
})
