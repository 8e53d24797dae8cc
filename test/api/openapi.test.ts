import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { OpenApi } from '../../api/openapi/document.ts'
import { BatchWritten, ContinueWatching, History, Progress, Stored, Written } from '../../api/progress/shapes.ts'
import { ADMIN, type Harness, startHarness } from './harness.ts'

async function documentOf(api: Harness): Promise<OpenApi> {
  const answer = await api.app.inject('/openapi.json')
  assert.match(String(answer.headers['content-type']), /^application\/json/)
  return answer.json<OpenApi>()
}

/** What the router itself prints: an indented tree of parts, each with its methods. */
function registered(printed: string): string[] {
  const parents: string[] = []
  return printed.split('\n').flatMap((line) => {
    const [, indent, part, methods] = /^([\s│]*[├└]── )(\S+) \(([A-Z, ]+)\)/.exec(line) ?? []
    if (indent === undefined || part === undefined || methods === undefined) return []
    const depth = Math.round(indent.length / 4)
    const path = `${depth === 1 ? '' : (parents[depth - 1] ?? '')}/${part}`.replaceAll(/\/+/g, '/')
    parents[depth] = path
    const shown = path === '/' ? path : path.replace(/\/$/, '')
    return methods
      .split(', ')
      .filter((method) => method !== 'HEAD')
      .map((method) => `${method} ${shown.replaceAll(/:(\w+)/g, '{$1}')}`)
  })
}

test('the document has every registered route and no other', async (t) => {
  const api = await startHarness(t, { folding: false })
  const document = await documentOf(api)
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const routes = registered(api.app.printRoutes({ commonPrefix: false }))
  assert.ok(routes.length > 30, `${routes.length} routes`)
  assert.deepEqual(described.sort(), routes.sort())
})

test('every operation says what it is, who may, what it takes and what it answers', async (t) => {
  const api = await startHarness(t, { folding: false })
  const document = await documentOf(api)
  assert.equal(document.openapi, '3.1.0')
  const ids = new Set<string>()
  const schemes = Object.keys(document.components.securitySchemes ?? {})
  assert.deepEqual(schemes, ['key', 'profileToken', 'playbackToken'])
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const name = `${method} ${path}`
      assert.ok(operation.summary.length > 5 && !operation.summary.includes(path), `${name} has a summary`)
      assert.ok(!ids.has(operation.operationId), `${operation.operationId} is of one operation`)
      ids.add(operation.operationId)
      assert.ok(operation.security.length > 0, `${name} says who may`)
      for (const one of operation.security) {
        for (const scheme of Object.keys(one)) assert.ok(schemes.includes(scheme), `${name}: ${scheme}`)
      }
      for (const tag of operation.tags)
        assert.ok(
          document.tags.some((known) => known.name === tag),
          `${name}: ${tag}`,
        )
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter)
      const said = operation.parameters.filter((parameter) => parameter.in === 'path')
      assert.deepEqual(
        said.map((parameter) => parameter.name),
        inPath,
        name,
      )
      assert.ok(
        said.every(({ required, schema }) => required && schema !== undefined),
        name,
      )
      const { default: wrong, ...statuses } = operation.responses as Record<
        string,
        { $ref?: string; description?: string }
      >
      assert.match(String(wrong?.$ref), /responses\/(Registry)?Problem$/, name)
      assert.ok(
        Object.keys(statuses).some((status) => status.startsWith('2')),
        `${name} says what is good`,
      )
      for (const answer of Object.values(statuses)) assert.ok(answer.$ref ?? answer.description, name)
      if (['put', 'post'].includes(method) && path.startsWith('/v1/'))
        assert.ok(operation.requestBody, `${name} has a body`)
    }
  }
})

test('everything that the document refers to is in it', async (t) => {
  const api = await startHarness(t, { folding: false })
  const { body } = await api.app.inject('/openapi.json')
  const document = JSON.parse(body) as OpenApi
  const refs = new Set(
    [...body.matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g)].map(([, kind, name]) => `${kind}/${name}`),
  )
  assert.ok(refs.has('schemas/Heartbeat'))
  for (const ref of refs) {
    const [kind = '', name = ''] = ref.split('/')
    assert.ok(document.components[kind]?.[name], ref)
  }
})

test('what the progress routes answer is what the document says of it', async (t) => {
  const api = await startHarness(t)
  const title = {
    titleId: 'e1',
    name: 'One',
    kind: 'episode',
    seriesId: 's',
    season: 1,
    episode: 1,
    durationMs: 600_000,
  }
  await api.call('POST', '/v1/titles', ADMIN, { titles: [title] })
  const path = '/v1/profiles/ann/progress/e1'
  const written = await api.call('PUT', `${path}?wait=true`, api.as('ann'), { positionMs: 120_000, sessionId: 's' })
  const items = [{ titleId: 'e1', positionMs: 1 }, {}]
  const answers: readonly (readonly [TSchema, { json<T>(): T }])[] = [
    [Written, written],
    [Progress, await api.call('GET', path, api.as('ann'))],
    [ContinueWatching, await api.call('GET', '/v1/profiles/ann/continue-watching', api.as('ann'))],
    [History, await api.call('GET', '/v1/profiles/ann/history', api.as('ann'))],
    [BatchWritten, await api.call('POST', '/v1/profiles/ann/progress/batch', api.as('ann'), { items })],
    [Stored, await api.call('POST', `${path}/watched`, api.as('ann'))],
    [Stored, await api.call('DELETE', path, api.as('ann'))],
  ]
  for (const [schema, answer] of answers) {
    const value = answer.json<unknown>()
    assert.deepEqual([...Value.Errors(schema, value)], [], JSON.stringify(value))
    assert.deepEqual(Value.Clean(schema, structuredClone(value)), value, 'nothing that the document does not say')
  }
})

test('the page shows every operation, runs no script and asks nobody else', async (t) => {
  const api = await startHarness(t, { folding: false })
  const { paths } = await documentOf(api)
  const page = await api.app.inject('/docs')
  assert.match(String(page.headers['content-type']), /^text\/html/)
  for (const methods of Object.values(paths)) {
    for (const { operationId } of Object.values(methods))
      assert.ok(page.body.includes(`id="${operationId}"`), operationId)
  }
  assert.doesNotMatch(page.body, /<script|<img|<link|src=|style="|https?:\/\//)
  const style = /<style>([\s\S]*?)<\/style>/.exec(page.body)?.[1] ?? ''
  const hash = createHash('sha256').update(style).digest('base64')
  const policy = String(page.headers['content-security-policy'])
  assert.ok(policy.startsWith("default-src 'none'") && policy.includes(`style-src 'sha256-${hash}'`), policy)
  assert.ok(page.body.includes('curl'), 'something to try')
})
