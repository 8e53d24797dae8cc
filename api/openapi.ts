/** /openapi.json and /docs: what is registered is what they show, because they are made from it. */
import type { FastifyInstance } from 'fastify'
import { addDocsPage } from './docs-page.ts'
import { DESCRIBED } from './openapi/described.ts'
import { type DocumentedRoute, type OpenApi, openApi, type RouteDocs } from './openapi/document.ts'

declare module 'fastify' {
  interface FastifySchema {
    summary?: string
    description?: string
    tags?: readonly string[]
    security?: readonly Readonly<Record<string, readonly string[]>>[]
    /** Describes a body that is checked by other means. */
    bodyShown?: unknown
    /** Of the body; JSON without it. */
    bodyType?: string
  }
}

/** Sees every route that is registered after it. */
export function addOpenApi(app: FastifyInstance, version: string): void {
  const routes: DocumentedRoute[] = []
  app.addHook('onRoute', ({ method, url, schema }) => {
    for (const verb of Array.isArray(method) ? method : [method]) {
      // Fastify adds a HEAD to each GET: nobody wants to read about those.
      if (verb === 'HEAD' || verb === 'OPTIONS') continue
      const docs = { ...DESCRIBED[`${verb} ${url}`], ...(schema as RouteDocs | undefined) }
      routes.push({ method: verb, url, docs })
    }
  })
  let made: { readonly document: OpenApi; readonly json: string } | undefined
  const current = () => {
    if (made === undefined) {
      const document = openApi(routes, version)
      made = { document, json: JSON.stringify(document) }
    }
    return made
  }
  app.get('/openapi.json', async (_request, reply) =>
    reply.type('application/json; charset=utf-8').send(current().json),
  )
  addDocsPage(app, () => current().document)
}
