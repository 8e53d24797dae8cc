import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import avro from 'avsc'
import fastify from 'fastify'
import { schemaRegistry } from '../../api/registry.ts'
import { createCodec, RELEASED, type ReleasedSchema } from '../../schemas/index.ts'

const app = fastify()
await app.register(schemaRegistry)
const HEARTBEAT = RELEASED.findLast(({ subject }) => subject === 'playhead.playback.Heartbeat') as ReleasedSchema

async function get(url: string): Promise<{ status: number; json: unknown }> {
  const answer = await app.inject({ url })
  assert.equal(answer.headers['content-type'], 'application/vnd.schemaregistry.v1+json')
  return { status: answer.statusCode, json: answer.json() }
}

describe('the schema registry', () => {
  it('lists subjects and versions', async () => {
    const { status, json } = await get('/subjects')
    assert.equal(status, 200)
    assert.ok((json as string[]).includes(HEARTBEAT.subject))
    assert.deepEqual((await get('/subjects?subjectPrefix=playhead.custom')).json, ['playhead.custom.CustomEvent'])
    assert.deepEqual((await get(`/subjects/${HEARTBEAT.subject}/versions`)).json, [1, HEARTBEAT.version])
  })

  it('answers a version by number, as latest and as -1', async () => {
    for (const version of [`${HEARTBEAT.version}`, 'latest', '-1']) {
      const { json } = await get(`/subjects/${HEARTBEAT.subject}/versions/${version}`)
      assert.deepEqual(json, { ...HEARTBEAT, schemaType: 'AVRO' })
    }
    assert.deepEqual(
      (await get(`/subjects/${HEARTBEAT.subject}/versions/${HEARTBEAT.version}/schema`)).json,
      JSON.parse(HEARTBEAT.schema),
    )
  })

  it('answers by id what the wire carries, self-contained', async () => {
    const codec = await createCodec()
    const id = codec.schemaIdOf('Heartbeat')
    const { json } = await get(`/schemas/ids/${id}`)
    const { schema } = json as { schema: string }
    assert.equal(avro.Type.forSchema(JSON.parse(schema)).name, HEARTBEAT.subject)
    assert.deepEqual((await get(`/schemas/ids/${id}/versions`)).json, [
      { subject: HEARTBEAT.subject, version: HEARTBEAT.version },
    ])
    assert.deepEqual((await get(`/schemas/ids/${id}/subjects`)).json, [HEARTBEAT.subject])
    assert.deepEqual((await get(`/schemas/ids/${id}/schema`)).json, JSON.parse(schema))
  })

  it('serves every released schema so that avsc parses it alone', async () => {
    for (const { id, subject } of RELEASED) {
      const { json } = await get(`/schemas/ids/${id}`)
      assert.equal(avro.Type.forSchema(JSON.parse((json as { schema: string }).schema)).name, subject)
    }
  })

  it('tells types, compatibility and mode', async () => {
    assert.deepEqual((await get('/schemas/types')).json, ['AVRO'])
    assert.deepEqual((await get('/config')).json, { compatibilityLevel: 'FULL_TRANSITIVE' })
    assert.deepEqual((await get(`/config/${HEARTBEAT.subject}`)).json, { compatibilityLevel: 'FULL_TRANSITIVE' })
    assert.deepEqual((await get('/mode')).json, { mode: 'READONLY' })
  })

  it('finds a schema that a serialiser asks for, comments aside', async () => {
    const bare = JSON.stringify(JSON.parse(HEARTBEAT.schema), (key, value) => (key === 'doc' ? undefined : value), 2)
    const headers = { 'content-type': 'application/vnd.schemaregistry.v1+json' }
    const url = `/subjects/${HEARTBEAT.subject}`
    const found = await app.inject({ method: 'POST', url, headers, payload: JSON.stringify({ schema: bare }) })
    assert.equal(found.json().id, HEARTBEAT.id)
    for (const [payload, status, code] of [
      [JSON.stringify({ schema: '"string"' }), 404, 40403],
      ['{', 422, 42201],
      ['{}', 422, 42201],
      [JSON.stringify({ schema: '{' }), 422, 42201],
    ] as const) {
      const answer = await app.inject({ method: 'POST', url, headers, payload })
      assert.deepEqual([answer.statusCode, answer.json().error_code], [status, code])
    }
  })

  it('refuses to be written to', async () => {
    const answer = await app.inject({
      method: 'POST',
      url: '/subjects/a/versions',
      payload: '{"schema":"\\"string\\""}',
    })
    assert.deepEqual([answer.statusCode, answer.json().error_code], [422, 42205])
  })

  it('answers what is not there with the codes that clients know', async () => {
    const cases: [string, number, number][] = [
      ['/subjects/nobody/versions', 404, 40401],
      ['/subjects/nobody/versions/1', 404, 40401],
      ['/config/nobody', 404, 40401],
      [`/subjects/${HEARTBEAT.subject}/versions/99`, 404, 40402],
      [`/subjects/${HEARTBEAT.subject}/versions/0`, 422, 42202],
      [`/subjects/${HEARTBEAT.subject}/versions/x`, 422, 42202],
      ['/schemas/ids/99999', 404, 40403],
      ['/schemas/ids/x', 404, 40403],
      ['/schemas/ids/01', 404, 40403],
    ]
    for (const [url, status, code] of cases) {
      const answer = await get(url)
      assert.equal(answer.status, status, url)
      const { error_code, message } = answer.json as { error_code: number; message: string }
      assert.equal(error_code, code, url)
      assert.ok(message.length > 0)
    }
  })

  it('leaves content types and errors of the routes around it alone', async () => {
    const around = fastify()
    around.get('/other', async () => ({ a: 1 }))
    await around.register(schemaRegistry)
    const answer = await around.inject({ url: '/other' })
    assert.match(String(answer.headers['content-type']), /^application\/json/)
    assert.equal((await around.inject({ url: '/nowhere' })).json().statusCode, 404)
  })
})
