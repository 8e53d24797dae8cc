/** Every tape of docs/tapes against a real engine: what it says is answered, and what it says is held, is so. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { KEYS, type ProtocolEngine, startProtocolEngine } from './engine.ts'
import { play } from './play.ts'
import { readTapes } from './tape.ts'

const TAPES = readTapes()
let engine: ProtocolEngine

before(async () => {
  engine = await startProtocolEngine(Date.parse(TAPES[0]!.startsAt))
})
after(async () => {
  await engine.close()
})

for (const tape of TAPES) {
  test(`${tape.name}: ${tape.title}`, async () => {
    assert.deepEqual(await play(engine, tape), [])
    assert.deepEqual(engine.failures, [])
  })
}

test('the lint is for data and admin keys, knows what it does not know, and is in the document', async () => {
  const ask = async (url: string, key: string) => await engine.app.inject({ url, headers: { 'x-playhead-key': key } })
  assert.equal((await ask('/v1/sessions/nobody/lint', KEYS.publishable)).statusCode, 403)
  const unknown = await ask('/v1/sessions/nobody/lint', KEYS.data)
  assert.deepEqual([unknown.statusCode, unknown.json().code], [404, 'SESSION_UNKNOWN'])
  const { paths } = (await engine.app.inject('/openapi.json')).json()
  assert.ok('/v1/sessions/{sessionId}/lint' in paths)
})
