/** /docs: the document of the API as a page. No script, nothing from elsewhere; one style sheet, known by its hash. */
import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { DOCS_STYLE } from './docs-style.ts'
import type { OpenApi, Operation, Parameter } from './openapi/document.ts'
import type { JsonSchema } from './openapi/from-avro.ts'

const STYLE_HASH = createHash('sha256').update(DOCS_STYLE).digest('base64')
const POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

export function addDocsPage(app: FastifyInstance, document: () => OpenApi): void {
  let page: string | undefined
  app.get('/docs', async (_request, reply) => {
    page ??= render(document())
    return reply.type('text/html; charset=utf-8').header('content-security-policy', POLICY).send(page)
  })
}

interface Shown {
  readonly method: string
  readonly path: string
  readonly operation: Operation
}

function render(document: OpenApi): string {
  const all = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Shown => ({ method: method.toUpperCase(), path, operation })),
  )
  const groups = document.tags
    .map(({ name }) => ({ name, shown: all.filter(({ operation }) => operation.tags[0] === name) }))
    .filter(({ shown }) => shown.length > 0)
  const nav = groups.map(({ name, shown }) => `<h2>${safe(name)}</h2><ul>${shown.map(link).join('')}</ul>`).join('')
  const main = groups
    .map(({ name, shown }) => `<h2>${safe(name)}</h2>${shown.map((one) => section(one, document)).join('')}`)
    .join('')
  const { title, version, description } = document.info
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
    `<title>${safe(title)} API</title><style>${DOCS_STYLE}</style></head><body><nav><h1>${safe(title)}</h1>${nav}</nav>` +
    `<main><header><h1>${safe(title)} API <small>${safe(version)}</small></h1><p>${safe(description)}</p>` +
    `<p>For tools: <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1).</p></header>${main}</main></body></html>`
  )
}

function link({ method, path, operation }: Shown): string {
  return `<li><a href="#${operation.operationId}"><b class="${method}">${method}</b> ${breakable(path)}</a></li>`
}

function section({ method, path, operation }: Shown, document: OpenApi): string {
  const { summary, description, parameters, requestBody, responses, security } = operation
  const body = requestBody?.content['application/json']?.schema
  return (
    `<section id="${operation.operationId}"><h3><b class="${method}">${method}</b> <code>${breakable(path)}</code></h3>` +
    `<p class="summary">${safe(summary)}</p>${description === undefined ? '' : `<p>${safe(description)}</p>`}` +
    `<p class="who">${safe(whoMay(security))}</p>` +
    (parameters.length === 0 ? '' : `<h4>Parameters</h4>${table(parameters.map(parameterRow))}`) +
    (body === undefined ? '' : `<h4>Body</h4>${fields(body, document)}`) +
    `<h4>Answers</h4>${Object.entries(responses)
      .map(([status, answer]) => response(status, answer, document))
      .join('')}` +
    `<h4>Try it</h4><pre>${safe(curl(method, path, operation, document))}</pre></section>`
  )
}

function whoMay(security: Operation['security']): string {
  const names = security.flatMap((one) => Object.keys(one))
  if (names.length === 0) return 'Open to all.'
  const words: Readonly<Record<string, string>> = {
    // Where a profile's own token lets in, only an admin may act for it.
    key: names.includes('profileToken') ? 'an admin key (X-Playhead-Key)' : 'a key (X-Playhead-Key)',
    profileToken: "the profile's token",
    playbackToken: 'a playback token',
  }
  return `Needs ${names.map((name) => words[name] ?? name).join(' or ')}.`
}

function parameterRow({ name, in: place, required, description, schema }: Parameter): readonly string[] {
  return [
    `${safe(name)}${required ? '' : ' <i>optional</i>'}`,
    `${place}, ${safe(typeWords(schema))}`,
    safe(description ?? ''),
  ]
}

function table(rows: readonly (readonly string[])[]): string {
  const lines = rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`)
  return `<table>${lines.join('')}</table>`
}

/** An object's fields as a table; fields of objects in lists one level below. */
function fields(given: JsonSchema, document: OpenApi, depth = 0): string {
  const schema = resolved(given, document)
  const choices = (schema.oneOf ?? schema.anyOf) as readonly JsonSchema[] | undefined
  if (choices !== undefined) {
    if (choices.length > 3) return `<p>One of ${choices.map((choice) => safe(typeWords(choice))).join(', ')}.</p>`
    return choices.map((choice) => fields(choice, document, depth)).join('<p>or</p>')
  }
  if (schema.type === 'array') return `<p>${safe(typeWords(schema))}:</p>${fields(itemsOf(schema), document, depth)}`
  const properties = schema.properties as Readonly<Record<string, JsonSchema>> | undefined
  if (properties === undefined) return `<p>${safe(typeWords(schema))}</p>`
  const required = (schema.required ?? []) as readonly string[]
  const rows = Object.entries(properties).map(([name, property]) => {
    const optional = required.includes(name) ? '' : ' <i>optional</i>'
    return [`${safe(name)}${optional}`, safe(typeWords(property)), safe(property.description ?? '')]
  })
  const below = Object.entries(properties).filter(([, property]) => property.type === 'array' && depth < 2)
  const inner = below.map(([name, property]) => {
    const items = fields(itemsOf(property), document, depth + 1)
    return items.startsWith('<p>') && !items.includes('One of')
      ? ''
      : `<p>Each of <code>${safe(name)}</code>:</p>${items}`
  })
  return table(rows) + inner.join('')
}

function itemsOf(schema: JsonSchema): JsonSchema {
  return (schema.items ?? {}) as JsonSchema
}

function resolved(schema: JsonSchema, document: OpenApi): JsonSchema {
  const name = typeof schema.$ref === 'string' ? schema.$ref.split('/').at(-1) : undefined
  return (name === undefined ? undefined : document.components.schemas?.[name]) ?? schema
}

function response(status: string, answer: unknown, document: OpenApi): string {
  const { description, content, $ref } = answer as JsonSchema & {
    content?: Readonly<Record<string, { schema: JsonSchema }>>
  }
  if ($ref !== undefined) return status === 'default' ? '' : `<p class="problem">${status} <span>problem</span></p>`
  const schema = content?.['application/json']?.schema
  const shown = schema === undefined ? '' : fields(schema, document)
  return `<details><summary><b>${status}</b> ${safe(description ?? '')}</summary>${shown}</details>`
}

function typeWords(schema: JsonSchema): string {
  if (typeof schema.$ref === 'string') return schema.$ref.split('/').at(-1) ?? ''
  const choices = (schema.anyOf ?? schema.oneOf) as readonly JsonSchema[] | undefined
  if (choices !== undefined) return choices.map(typeWords).join(' or ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.type === 'array') {
    return `list of ${typeWords(itemsOf(schema))}${schema.maxItems === undefined ? '' : `, at most ${String(schema.maxItems)}`}`
  }
  const { minimum, maximum, maxLength } = schema
  const limits = [
    ...(minimum === undefined || minimum === 0 ? [] : [`from ${String(minimum)}`]),
    ...(maximum === undefined || maximum === 2 ** 52 - 1 ? [] : [`to ${String(maximum)}`]),
    ...(maxLength === undefined ? [] : [`up to ${String(maxLength)} characters`]),
  ]
  const type = Array.isArray(schema.type) ? schema.type.join(' or ') : String(schema.type ?? 'anything')
  return [type, ...limits].join(', ')
}

function curl(method: string, path: string, operation: Operation, document: OpenApi): string {
  const names = operation.security.flatMap((one) => Object.keys(one))
  const header = names.includes('profileToken')
    ? ' -H "Authorization: Bearer $TOKEN"'
    : names.includes('key')
      ? ' -H "X-Playhead-Key: $KEY"'
      : names.length === 0
        ? ''
        : ' -H "Authorization: Bearer $PLAYBACK_TOKEN"'
  const body = operation.requestBody?.content['application/json']?.schema
  const data = body === undefined ? '' : ` \\\n  --json '${JSON.stringify(exampleOf(body, document))}'`
  const verb = method === 'GET' || (method === 'POST' && body !== undefined) ? '' : ` -X ${method}`
  return `curl${verb}${header}${header === '' ? ' ' : ' \\\n  '}"$PLAYHEAD${path.replaceAll(/\{(\w+)\}/g, '$1')}"${data}`
}

/** The least that fits: required fields, with the smallest values. */
function exampleOf(given: JsonSchema, document: OpenApi, name = ''): unknown {
  const schema = resolved(given, document)
  const first = ((schema.anyOf ?? schema.oneOf) as readonly JsonSchema[] | undefined)?.[0]
  if (first !== undefined) return exampleOf(first, document, name)
  if (schema.const !== undefined) return schema.const
  if (Array.isArray(schema.enum)) return schema.enum[0]
  if (schema.type === 'array') return [exampleOf(itemsOf(schema), document, name.replace(/s$/, ''))]
  if (schema.type === 'integer' || schema.type === 'number') return name.endsWith('Ms') ? 95_000 : (schema.minimum ?? 1)
  if (schema.type === 'boolean') return true
  if (schema.type === 'string') return name === '' ? 'text' : name
  const properties = Object.entries((schema.properties ?? {}) as Readonly<Record<string, JsonSchema>>)
  const required = (schema.required ?? []) as readonly string[]
  return Object.fromEntries(
    properties.flatMap(([key, property]) =>
      required.includes(key) ? [[key, exampleOf(property, document, key)]] : [],
    ),
  )
}

/** A long path may break behind its slashes. */
function breakable(path: string): string {
  return safe(path).replaceAll('/', '/<wbr>')
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function safe(text: unknown): string {
  return String(text).replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '')
}
