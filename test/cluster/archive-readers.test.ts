/** An archive of the log as others read it: DuckDB sees every record, with its types, and the value as it was. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import { createCodec } from '../../schemas/index.ts'
import { freePorts, playhead, tempFolder } from '../cli/playhead.ts'
import { heartbeat, idOf } from '../consumers/events.ts'
import { ensurePython } from './python.ts'

/** The extension comes as a package, so that nothing is fetched from elsewhere. */
const PACKAGES = ['duckdb==1.5.5', 'duckdb-extension-avro==1.5.5']
const READ = `
import duckdb, duckdb_extension_avro, glob, json, os, sys
home = os.path.dirname(duckdb_extension_avro.__file__)
con = duckdb.connect()
con.execute(f"LOAD '{glob.glob(home + '/extensions/*/avro.duckdb_extension')[0]}'")
files = sys.argv[1] + '/playback-events/*/*.avro'
row = con.execute(f"""SELECT count(*), count(DISTINCT key), CAST(sum(octet_length(value)) AS BIGINT), min(event_type),
  typeof(any_value(timestamp)), epoch_ms(min(timestamp)), epoch_ms(max(occurred_at)) FROM read_avro('{files}')""").fetchone()
print(json.dumps(row))
`
const DAY_MS = 86_400_000
const RECORDS = 100

test('DuckDB reads what was archived', async (t) => {
  const python = await ensurePython(PACKAGES)
  const dir = tempFolder(t)
  const data = join(dir, 'data')
  const codec = await createCodec({})
  const firstMs = Date.now() - 3 * DAY_MS
  const records = Array.from({ length: RECORDS }, (_, n) => {
    const [profileId, atMs] = [`profile-${n % 7}`, firstMs + n]
    const value = codec.encode(heartbeat({ profileId, eventId: idOf(n + 1), positionMs: n, atMs }))
    return { topic: 'playback-events', key: profileId, value, timestampMs: atMs }
  })
  const log = await openEmbeddedLog({ dir: join(data, 'log') })
  await log.ensureTopics([{ topic: 'playback-events', partitions: 2 }])
  await log.append(records)
  await log.close()
  const archive = join(dir, 'archive')
  const { code, err } = await playhead(t, freePorts(data), 'log', 'archive', archive)
  assert.equal(code, 0, err)
  const { stdout } = await promisify(execFile)(python, ['-c', READ, archive], { timeout: 60_000 })
  const bytes = records.reduce((sum, { value }) => sum + value.length, 0)
  const lastMs = firstMs + RECORDS - 1
  assert.deepEqual(JSON.parse(stdout), [RECORDS, 7, bytes, 'Heartbeat', 'TIMESTAMP', firstMs, lastMs])
})
