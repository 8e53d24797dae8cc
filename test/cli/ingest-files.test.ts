/** Logs as files: zipped, growing, rotated, read twice, cut off, damaged. */
import assert from 'node:assert/strict'
import { appendFileSync, existsSync, readFileSync, renameSync, statSync } from 'node:fs'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { boundTo } from '../../log/bound.ts'
import { AT_MS, ENCODED, type IngestDesk, ingestDesk, LINES } from './ingest-support.ts'

/** A line a second, all of one session. */
const line = (i: number, more = '') => {
  const at = new Date(AT_MS + i * 1_000).toISOString()
  return `${JSON.stringify({ time: at, url: `/seg${i}?CMCD=${ENCODED}`, status: 200, ...(more !== '' && { more }) })}\n`
}
const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => line(from + i)).join('')

async function urls(d: IngestDesk): Promise<readonly (string | null)[]> {
  return (await d.requests()).map(({ url }) => url)
}

async function ids(d: IngestDesk): Promise<{ readonly all: number; readonly distinct: number }> {
  const found = (await d.requests()).map(({ meta }) => meta.eventId)
  return { all: found.length, distinct: new Set(found).size }
}

test('a zipped log is read whatever it is called, and in pieces of gzip; its copy, not zipped and under another name, has the same ids', async (t) => {
  const d = await ingestDesk(t)
  const zipped = Buffer.concat([gzipSync(lines(0, 3_000)), gzipSync(lines(3_000, 5_000).trimEnd())])
  const first = await d.read(d.write('a.log', zipped))
  assert.deepEqual([first.outcome.counts.events, first.outcome.lastLineLeft], [5_000, false])
  const copy = await d.read(d.write('b.log', lines(0, 5_000)))
  assert.deepEqual([copy.outcome.before, copy.outcome.counts.events], [undefined, 5_000])
  assert.deepEqual(await ids(d), { all: 10_000, distinct: 5_000 })
})

test('a log that is read again adds nothing, one that grew goes on, and a line that is still written waits for its end', async (t) => {
  const d = await ingestDesk(t)
  const whole = lines(0, 3)
  const path = d.write('a.log', `${whole}${line(3).slice(0, 40)}`)
  const first = await d.read(path)
  assert.deepEqual([first.outcome.counts.events, first.outcome.lastLineLeft], [3, true])
  const same = await d.read(path)
  assert.deepEqual([same.outcome.before?.rows, same.outcome.counts.rows, same.outcome.counts.rejected], [3, 3, 0])
  appendFileSync(path, `${line(3).slice(40)}${line(4).trimEnd()}`)
  const grown = await d.read(path)
  assert.deepEqual([grown.outcome.counts.events, grown.outcome.lastLineLeft, grown.outcome.replaced], [5, false, false])
  assert.deepEqual(await urls(d), ['/seg0', '/seg1', '/seg2', '/seg3', '/seg4'])
})

test('a log that was rotated away leaves its name to another, which is read from its beginning; so is one that was cut short', async (t) => {
  const d = await ingestDesk(t)
  const path = d.write('access.log', lines(0, 4))
  await d.read(path)
  renameSync(path, `${path}.1`)
  const next = await d.read(d.write('access.log', lines(10, 16)))
  assert.deepEqual([next.outcome.replaced, next.outcome.counts.events], [true, 6])
  const rotated = await d.read(`${path}.1`)
  assert.deepEqual([rotated.outcome.counts.events, (await ids(d)).distinct], [4, 10])
  const short = await d.read(d.write('access.log', lines(20, 22)))
  assert.deepEqual([short.outcome.replaced, short.outcome.counts.events], [true, 2])
  assert.equal((await ids(d)).distinct, 12)
})

test('two lines that say the same are two requests, unless the CDN says that they are one', async (t) => {
  const d = await ingestDesk(t)
  await d.read(d.write('a.log', `${line(1)}${line(1)}`))
  assert.deepEqual(await ids(d), { all: 2, distinct: 2 })
  const [one = '', , again = ''] = LINES.cloudfront
    .split(/(?<=\n)/)
    .slice(-1)
    .concat(LINES.cloudfront.split(/(?<=\n)/))
  assert.ok(one.includes('req-1') && again.startsWith('#'))
  await d.read(d.write('b.log', LINES.cloudfront))
  await d.read(d.write('c.log', `${LINES.cloudfront.replace(one, `${one.replace('req-1', 'req-0')}${one}`)}`))
  assert.deepEqual(await ids(d), { all: 5, distinct: 4 })
})

test('cut off and called again, every line is there; what was written and not noted has the same ids', async (t) => {
  let appends = 0
  const d = await ingestDesk(t, (log) => {
    const append: typeof log.append = async (records) => {
      const placed = await log.append(records)
      if (++appends === 2) throw new Error('the machine stops')
      return placed
    }
    return { ...boundTo(log), append }
  })
  const path = d.write('a.log.gz', gzipSync(lines(0, 7_000)))
  await assert.rejects(d.read(path), /the machine stops/)
  const again = await d.read(path)
  assert.deepEqual([again.outcome.before?.rows, again.outcome.counts.rows], [2_000, 7_000])
  assert.deepEqual(await ids(d), { all: 9_000, distinct: 7_000 })
})

test('a zipped log that is damaged says so, and what came before is in', async (t) => {
  const d = await ingestDesk(t)
  const zipped = gzipSync(lines(0, 9_000), { level: 0 })
  const path = d.write('a.log.gz', zipped.subarray(0, zipped.length - 300_000))
  await assert.rejects(d.read(path), /can't be unzipped to its end/)
  const before = await ids(d)
  assert.ok(before.all >= 2_000 && before.all % 2_000 === 0, `${before.all}`)
  d.write('a.log.gz', zipped)
  assert.equal((await d.read(path)).outcome.counts.rows, 9_000)
  assert.deepEqual(await ids(d), { all: 9_000, distinct: 9_000 })
})

test('too many bad lines end it; the reasons stand in a file that is its owner’s alone', async (t) => {
  const d = await ingestDesk(t)
  const path = d.write('a.log', `${line(0)}${'not json\n'.repeat(5)}${line(1)}`)
  const { outcome } = await d.read(path, { errorsMax: 3 })
  assert.deepEqual([outcome.ended, outcome.counts.rejected], ['too-many-errors', 4])
  const again = await d.read(path, { errorsMax: 10 })
  assert.deepEqual([again.outcome.ended, again.outcome.counts.events], ['complete', 2])
  const rejected = `${path}.rejected.ndjson`
  assert.equal(readFileSync(rejected, 'utf8').trim().split('\n').length, 5)
  assert.equal(statSync(rejected).mode & 0o777, 0o600)
})

test('a dry run writes nothing and leaves nothing beside the log', async (t) => {
  const d = await ingestDesk(t)
  const path = d.write('a.log', lines(0, 3))
  const { ingest } = await import('../../cli/ingest/run.ts')
  const io = { env: {}, tty: false, out: () => undefined, err: () => undefined }
  const outcome = await ingest(undefined, {
    ...{ path, wish: { format: undefined, columns: undefined, maps: [], command: 'x' }, cdn: undefined, io },
    ...{ appId: 'a', environment: 'e', assumeUtc: false, errorsMax: 1, statePath: undefined, rejectedPath: undefined },
    ...{ signal: new AbortController().signal, nowMs: () => AT_MS + 60_000 },
  })
  assert.deepEqual([outcome.counts.rows, outcome.counts.events], [3, 0])
  assert.ok(!existsSync(`${path}.playhead-ingest.json`))
  assert.equal((await ids(d)).all, 0)
})

test('whatever bytes a log holds, reading ends with a count of every line', async (t) => {
  const d = await ingestDesk(t)
  let n = 0
  const piece = fc.oneof(
    fc.constantFrom(
      ...Object.values(LINES),
      line(0),
      '\n',
      '#Fields: a b\n',
      '{"time":{}}\n',
      '{"cmcd":{"sid":[1]}}\n',
    ),
    fc.constantFrom(
      '{"url":"/x?CMCD=sid%3D%22\\ud800%22","time":1}\n',
      '{"cmcd":"sid=\\"x\\"","time":"-1"}\n',
      '"\\\\',
    ),
    fc.string({ unit: 'binary', maxLength: 200 }).map((text) => `${text}\n`),
    fc.string({ maxLength: 60 }).map((text) => `1.1.1.1 - - [21/Nov/2026:10:00:01 +0000] "GET /?CMCD=sid%3D${text}`),
  )
  const formats = fc.constantFrom(undefined, 'combined', 'json', 'cloudfront', 'fastly', 'akamai')
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 8 }), formats, async (pieces, format) => {
      const { outcome } = await d.read(d.write(`fuzz-${n++}.log`, pieces.join('')), {
        wish: { format: format as 'combined' | undefined },
      })
      assert.equal(outcome.ended, 'complete')
      const { withoutCmcd, withoutSession, unreadableCmcd } = outcome.seen.passedOver
      assert.equal(outcome.counts.rows, outcome.counts.events + withoutCmcd + withoutSession + unreadableCmcd)
    }),
    { numRuns: 60 },
  )
})
