/** ClickHouse over TLS with a CA of one's own: the real engine behind a terminating proxy, as in front of a server. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Certificate, makeCertificate } from '../../deploy/cluster/tls.ts'
import { ClickHouse } from '../../stores/clickhouse/clickhouse.ts'
import { type AnalyticsProcess, startAnalyticsProcess } from '../consumers/analytics-process.ts'

let dir: string
let analytics: AnalyticsProcess
let certificate: Certificate
let proxy: Server
let url: string

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'playhead-tls-'))
  analytics = await startAnalyticsProcess(join(dir, 'analytics'))
  certificate = await makeCertificate(join(dir, 'tls'), '127.0.0.1')
  const behind = new URL(analytics.access.url)
  const { certFile, keyFile } = certificate
  proxy = createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, (incoming, outgoing) => {
    const { method, url: path, headers } = incoming
    const through = request({ host: behind.hostname, port: behind.port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    incoming.pipe(through)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  url = `https://127.0.0.1:${(proxy.address() as AddressInfo).port}`
})
after(async () => {
  proxy.closeAllConnections()
  proxy.close()
  await analytics.stop()
  await rm(dir, { recursive: true, force: true })
})

test('with the CA file it answers', async () => {
  const store = new ClickHouse({ ...analytics.access, url, database: 'playhead', tls: { caFile: certificate.caFile } })
  await store.prepare()
  assert.deepEqual(await store.query('SELECT 1 AS one'), [{ one: 1 }])
  await store.close()
})

test('without it the server is not trusted, and the message says so', async () => {
  const store = new ClickHouse({ ...analytics.access, url, database: 'playhead' })
  await assert.rejects(store.query('SELECT 1'), { code: 'STORE_UNAVAILABLE', message: /certificate/i })
  await store.close()
})

test('a wrong password is refused for good, and is not repeated in the message', async () => {
  const wrong = { url, username: 'writer', password: 'a-wrong-password', tls: { caFile: certificate.caFile } }
  const store = new ClickHouse({ ...wrong, database: 'playhead' })
  await assert.rejects(store.query('SELECT 1'), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'STORE_REFUSED')
    assert.doesNotMatch(error.message, /a-wrong-password/)
    return true
  })
  await store.close()
})
