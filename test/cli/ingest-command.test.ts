/** The command's own part: several logs in one call, where it remembers them, what it says and answers. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseArgs } from '../../cli/args.ts'
import { cmcdLog } from '../../cli/commands/ingest.ts'
import { ENCODED, LINES } from './ingest-support.ts'
import { tempFolder } from './playhead.ts'

async function called(dir: string, ...words: readonly string[]) {
  let out = ''
  const io = {
    env: { PLAYHEAD_DATA: join(dir, 'data') },
    tty: false,
    out: (text: string) => {
      out += text
    },
    err: () => undefined,
  }
  const code = await cmcdLog.run(parseArgs(cmcdLog, words), io)
  return { code, out }
}

test('several logs in one call are remembered each by itself, in a folder of their own if it is asked for', async (t) => {
  const dir = tempFolder(t)
  mkdirSync(join(dir, 'notes'))
  for (const format of ['fastly', 'akamai'] as const) writeFileSync(join(dir, `${format}.log`), LINES[format])
  const files = [join(dir, 'fastly.log'), join(dir, 'akamai.log')]
  const first = await called(dir, ...files, '--state-dir', join(dir, 'notes'), '--json')
  const outcomes = first.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { format: string; counts: object })
  assert.deepEqual(
    outcomes.map(({ format, counts }) => [format, counts]),
    [
      ['fastly', { rows: 1, events: 1, rejected: 0 }],
      ['akamai', { rows: 1, events: 1, rejected: 0 }],
    ],
  )
  assert.equal(first.code, 0)
  const notes = ['akamai.log.playhead-ingest.json', 'fastly.log.playhead-ingest.json']
  assert.deepEqual(readdirSync(join(dir, 'notes')).sort(), notes)
  assert.deepEqual(readdirSync(dir).sort(), ['akamai.log', 'data', 'fastly.log', 'notes'])
  const again = await called(dir, ...files, '--state-dir', join(dir, 'notes'))
  assert.match(again.out, /fastly\.log: read 0 lines more, after 1 before \(fastly\), 0 media requests\n/)
})

test('two logs of one name have no place in one folder, and a log that was given up is answered with 1', async (t) => {
  const dir = tempFolder(t)
  for (const name of ['a', 'b']) mkdirSync(join(dir, name))
  const files = [join(dir, 'a', 'x.log'), join(dir, 'b', 'x.log')]
  writeFileSync(files[0] ?? '', 'nothing\nthat is\na log\n')
  writeFileSync(files[1] ?? '', LINES.json)
  await assert.rejects(called(dir, ...files, '--state-dir', dir), /Two files would be remembered as/)
  const given = await called(dir, ...files, '--max-errors', '1')
  assert.equal(given.code, 1)
  assert.match(given.out, /gave up after 2 lines .* 2 rejected\n.*Too many bad lines/s)
  assert.match(given.out, /b\/x\.log: read 1 lines \(json\), 1 media requests\n$/)
})

test('a dry run of the formats in the documents finds what they add to the combined format', async (t) => {
  const dir = tempFolder(t)
  const cmcd = 'cmcd_session="sid=\\x22n\\x22,v=1" cmcd_object="br=10" cmcd_request="-" cmcd_status="-"'
  const nginx = `- - - [21/Nov/2020:10:00:01 +0000] "GET /a HTTP/1.1" 200 5 "-" "-" host=m.example rt=0.1 uht="0.020, 0.030" cache=MISS rid=f00 ${cmcd}`
  const apache = `- - - [21/Nov/2020:10:00:01 +0000] "GET /b?CMCD=${ENCODED} HTTP/1.1" 200 5 "-" "-" host=m.example us=4120 ${cmcd.replaceAll('\\x22', '\\"')}`
  writeFileSync(join(dir, 'x.log'), `${nginx}\n${apache}\n`)
  const { out } = await called(dir, join(dir, 'x.log'), '--dry-run', '--json')
  const outcome = JSON.parse(out) as { counts: object; seen: object; unknownFields: readonly string[] }
  assert.deepEqual(outcome.counts, { rows: 2, events: 0, rejected: 0 })
  assert.deepEqual(outcome.unknownFields, [])
  const seen = { passedOver: { withoutCmcd: 0, withoutSession: 0, unreadableCmcd: 0 }, faulty: 0 }
  assert.deepEqual(outcome.seen, seen)
  const page = readFileSync(new URL('../../docs/cdn-logs.md', import.meta.url), 'utf8')
  for (const name of ['host', 'rt', 'uht', 'cache', 'rid', 'us', 'cmcd_session', 'cmcd_status']) {
    assert.ok(page.includes(`${name}=`), `${name} is in the documents' formats`)
  }
})
