/** An archive is restored into Kafka, Kafka is archived and trimmed, and what was trimmed is read on in the files. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { restoreToFolder, restoreToLog } from '../../cli/archive/restore.ts'
import { withArchive } from '../../log/archive/archived.ts'
import { manifestOf, verifyArchive } from '../../log/archive/verify.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import { openKafkaLog } from '../../log/kafka/index.ts'
import { allOf, archiveOf, DAY_MS, FIRST_DAY_MS, folder } from '../log/archive-support.ts'
import { ownKafka } from './servers.ts'

const TOPIC = 'playback-events'
const quiet = { signal: new AbortController().signal, progress: () => undefined, command: 'log restore' }

test('from a folder into Kafka by an archive, and from Kafka, trimmed, into a folder: the same records', async (t) => {
  const broker = await ownKafka()
  t.after(() => broker.close())
  const here = await openEmbeddedLog({ dir: join(folder(t), 'log') })
  t.after(() => here.close())
  await here.ensureTopics([{ topic: TOPIC, partitions: 2 }])
  await here.append(
    Array.from({ length: 600 }, (_, n) => ({
      ...{ topic: TOPIC, key: `profil-é-${n % 9}`, value: Buffer.from([n % 256, 0, 255]) },
      ...{ timestampMs: FIRST_DAY_MS + (n * DAY_MS) / 150, headers: n % 3 === 0 ? { n: `${n}` } : {} },
    })),
  )
  const before = await allOf(here)
  const first = folder(t)
  await archiveOf(here, first)

  const kafka = await openKafkaLog({ brokers: [`${broker.host}:${broker.port}`] })
  t.after(() => kafka.close())
  const restored = await restoreToLog(kafka, 'Kafka', { ...quiet, folder: first })
  assert.deepEqual(restored, { complete: true, records: 600, samePositions: true, withoutKey: 0 })
  assert.deepEqual(await allOf(kafka), before)
  await assert.rejects(restoreToLog(kafka, 'Kafka', { ...quiet, folder: first }), /Kafka holds records of/)

  const second = folder(t)
  await archiveOf(kafka, second, { untilMs: FIRST_DAY_MS + 3 * DAY_MS })
  assert.deepEqual((await verifyArchive({ ...quiet, folder: second, log: kafka })).damaged, [])
  const both = await withArchive(kafka, second, Date.now)
  for (const { partition, next } of (await manifestOf(second)).files)
    await kafka.trim({ topic: TOPIC, partition }, next)
  assert.ok((await kafka.bounds(TOPIC)).every(({ start }) => start > 100n))
  assert.deepEqual(await allOf(both), before)

  await archiveOf(both, second)
  const dir = join(folder(t), 'log')
  await restoreToFolder(dir, { ...quiet, folder: second })
  const again = await openEmbeddedLog({ dir })
  t.after(() => again.close())
  assert.deepEqual(await allOf(again), before)
})
