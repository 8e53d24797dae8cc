import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export interface FakeRegistry {
  readonly url: string
  readonly schemas: Map<number, string>
  readonly requests: { method: string; path: string; authorization: string | undefined }[]
  /** Puts a schema there as another producer would, and answers its id. */
  add(schema: object): number
  /** What to answer instead, while it is set. */
  fault: { status: number; body: string } | undefined
}

/** A schema registry as small as it can be: ids from 1,000, so that they never equal ours. */
export async function fakeRegistry(t: TestContext): Promise<FakeRegistry> {
  const schemas = new Map<number, string>()
  const requests: FakeRegistry['requests'] = []
  const put = (schema: string): number => {
    const known = [...schemas].find(([, text]) => text === schema)
    const id = known?.[0] ?? 1_000 + schemas.size
    schemas.set(id, schema)
    return id
  }
  const registry: FakeRegistry = {
    url: '',
    schemas,
    requests,
    add: (schema) => put(JSON.stringify(schema)),
    fault: undefined,
  }
  const server = createServer(async (request, response) => {
    const body = await text(request)
    const path = request.url ?? ''
    requests.push({ method: request.method ?? '', path, authorization: request.headers.authorization })
    const answer = (status: number, json: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' }).end(JSON.stringify(json))
    }
    if (registry.fault) {
      response.writeHead(registry.fault.status).end(registry.fault.body)
    } else if (request.method === 'POST') {
      answer(200, { id: put((JSON.parse(body) as { schema: string }).schema) })
    } else {
      const schema = schemas.get(Number(path.slice(path.lastIndexOf('/') + 1)))
      if (schema === undefined) answer(404, { error_code: 40403, message: 'Schema not found' })
      else answer(200, { schema })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return Object.assign(registry, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` })
}

async function text(request: IncomingMessage): Promise<string> {
  let all = ''
  for await (const chunk of request) all += String(chunk)
  return all
}
