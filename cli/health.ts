/** /healthz, /readyz, /metrics and /status of a role that has no HTTP server of its own, on a loopback port. */
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Registry } from 'prom-client'
import { toJson } from './json.ts'

export interface HealthPorts {
  readonly host: string
  readonly port: number
  readonly metrics: Registry
  /** Why this role should get no work, in words; empty when it is ready. */
  readonly complaints: () => Promise<readonly string[]>
  /** Anything that `playhead status` shows of this role; must become JSON. */
  readonly status: () => unknown
}

export interface HealthServer {
  readonly url: string
  close(): Promise<void>
}

export async function serveHealth(ports: HealthPorts): Promise<HealthServer> {
  const server = createServer((request, response) => {
    answer(ports, request.url ?? '/', response).catch((error: Error) => {
      response.writeHead(500).end(`${error.message}\n`)
    })
  })
  await listen(server, ports.host, ports.port)
  const { port } = server.address() as AddressInfo
  const host = ports.host.includes(':') ? `[${ports.host}]` : ports.host
  return {
    url: `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}`,
    close: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}

async function answer(ports: HealthPorts, url: string, response: ServerResponse): Promise<void> {
  const path = url.split('?')[0]
  if (path === '/healthz') return json(response, 200, { status: 'alive' })
  if (path === '/readyz') {
    const complaints = await ports.complaints()
    return json(response, complaints.length === 0 ? 200 : 503, { ready: complaints.length === 0, complaints })
  }
  if (path === '/status') return json(response, 200, ports.status())
  if (path !== '/metrics') return json(response, 404, { paths: ['/healthz', '/readyz', '/metrics', '/status'] })
  response.writeHead(200, { 'content-type': ports.metrics.contentType }).end(await ports.metrics.metrics())
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${toJson(body)}\n`)
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
}
