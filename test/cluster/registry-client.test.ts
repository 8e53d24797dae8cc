import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { it } from 'node:test'
import fc from 'fast-check'
import fastify from 'fastify'
import { schemaRegistry } from '../../api/registry.ts'
import { createCodec, EVENT_TYPES, type NewEvent, RELEASED } from '../../schemas/index.ts'
import { anyEvent, HEARTBEAT } from '../schemas/support.ts'
import { ensurePython } from './python.ts'

const CLIENT = join(import.meta.dirname, 'clients', 'registry_client.py')

it("Confluent's Python deserialiser reads every event type with our registry", { timeout: 400_000 }, async (t) => {
  const python = await ensurePython(['confluent-kafka[avro,schemaregistry]==2.12.2'])
  const app = fastify()
  await app.register(schemaRegistry)
  t.after(() => app.close())
  const url = await app.listen({ host: '127.0.0.1', port: 0 })

  const codec = await createCodec()
  const events = [HEARTBEAT as NewEvent, ...EVENT_TYPES.map((type) => fc.sample(anyEvent(type), 1)[0] as NewEvent)]
  const values = events.map((event) => codec.encode(event))
  const [about, ...decoded] = await decode(python, url, values)

  const newest = RELEASED.findLast(({ subject }) => subject === 'playhead.playback.Heartbeat')
  assert.deepEqual(about, {
    subjects: new Set(RELEASED.map(({ subject }) => subject)).size,
    latest: [newest?.subject, newest?.version, newest?.id],
    compatibility: 'FULL_TRANSITIVE',
  })
  assert.equal(decoded.length, values.length)
  values.forEach((value, i) => {
    const ours = codec.decode(value)
    assert.ok(ours.ok)
    const { type, ...fields } = ours.event
    assert.deepEqual(decoded[i], JSON.parse(JSON.stringify(fields, asPythonPrints)), type)
  })
})

/** JSON has no bytes: both sides print base64. */
function asPythonPrints(this: unknown, key: string, value: unknown): unknown {
  const given = (this as Record<string, unknown>)[key]
  return given instanceof Uint8Array ? Buffer.from(given).toString('base64') : value
}

async function decode(python: string, url: string, values: readonly Buffer[]): Promise<unknown[]> {
  const client = spawn(python, [CLIENT, url], { stdio: ['pipe', 'pipe', 'pipe'] })
  client.stdin.end(values.map((value) => `${value.toString('base64')}\n`).join(''))
  const [out, err, code] = await Promise.all([
    text(client.stdout),
    text(client.stderr),
    new Promise<number | null>((resolve, reject) => client.on('close', resolve).on('error', reject)),
  ])
  assert.equal(code, 0, err)
  return out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}
