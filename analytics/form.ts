/** `multipart/form-data`: the statement and its parameters as fields, for clients whose parameters outgrow a URL. */
import type { IncomingMessage } from 'node:http'
import type { Body } from './bodies.ts'
import { refuse } from './errors.ts'

export interface Form {
  readonly fields: [string, string][]
  /** Nothing is left in the body. */
  readonly body: Body
}

export async function readForm(request: IncomingMessage, body: Body): Promise<Form | undefined> {
  const type = request.headers['content-type'] ?? ''
  if (!/^multipart\/form-data\b/i.test(type)) return undefined
  if (!body.complete) throw refuse('QUERY_IS_TOO_LARGE', 'The form is too large')
  const fields: [string, string][] = []
  for (const [name, value] of await parse(type, body.head)) {
    if (typeof value !== 'string')
      throw refuse('NOT_IMPLEMENTED', 'External tables are not supported over this interface')
    fields.push([name, value])
  }
  return { fields, body: { ...body, head: Buffer.alloc(0) } }
}

async function parse(type: string, bytes: Buffer): Promise<FormData> {
  try {
    return await new Response(bytes, { headers: { 'Content-Type': type } }).formData()
  } catch (error) {
    throw refuse('BAD_ARGUMENTS', `The form can't be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}
