/** Whatever is sent to the collector, by whom and how: 204, or a refusal that is a problem document, and never a 5xx. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { playbackToken } from './cmcd-support.ts'
import { ADMIN, DATA, startHarness } from './harness.ts'
import { PUBLISHABLE } from './support.ts'

const KEYS =
  'ab bg bl br bs bsd cdn cen cid cs d dfa dl e ec h ltc msd mtp nor nr ot pr pt rc rtp sf sid sn st sta su tb ts ttfb ttlb url v com.playhead-pt Zz _ __proto__ constructor'.split(
    ' ',
  )
const VALUES = [
  '1',
  '0',
  '-5',
  '1.5',
  '99999999999999999999',
  '1e9',
  '""',
  '"a"',
  '"é😀"',
  'p',
  'ps',
  'rr',
  '?0',
  '?1',
  '?3',
  '(1;v 2;a)',
  '("a" "b")',
  '(',
  '"',
  ':YQ==:',
  '@5',
  'true',
  '',
  '2',
  '3',
  ' ',
  '\u0000',
  '\\',
  '("https://u:p@h/a?b" ;;',
  `"${'x'.repeat(300)}"`,
]
const member = fc
  .tuple(fc.constantFrom(...KEYS), fc.oneof(fc.constantFrom(...VALUES), fc.string({ maxLength: 8 })))
  .map(([key, value]) => `${key}=${value}`)
const record = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .array(fc.oneof({ weight: 5, arbitrary: member }, fc.constantFrom(...KEYS)), { maxLength: 14 })
      .map((all) => all.join(',')),
  },
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    '',
    ' ',
    '\u0000',
    '<html>',
    '{}',
    '[1]',
    ','.repeat(300),
    '('.repeat(300),
    '"'.repeat(301),
    `cid="${'x'.repeat(9_000)}"`,
  ),
)
const lines = fc.array(record, { maxLength: 6 }).map((all) => all.join('\n'))
const payload = fc.oneof(
  { weight: 6, arbitrary: lines },
  lines.map((text) => gzipSync(text)),
  fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
  fc.constant('\n'.repeat(5_000)),
  fc.constant('e=t\n'.repeat(501)),
  fc.constant(undefined),
)
const word = fc.string({ unit: fc.constantFrom(...'abcXYZ019 ;=/,."%-_*\t') })
const headers = fc.record(
  {
    'content-type': fc.oneof(
      fc.constantFrom('application/cmcd', 'text/cmcd', 'application/json', 'x', '', ';;;', 'multipart/form-data'),
      word,
    ),
    'content-encoding': fc.constantFrom('gzip', 'identity', 'br', 'GZIP', ''),
    'content-length': fc.constantFrom('0', '1', '99999999999', 'x'),
    'cmcd-object': fc.oneof(member, word),
    'cmcd-status': fc.oneof(member, word),
    'cmcd-session': fc.oneof(member, word),
    'user-agent': word,
    'x-playhead-session': word,
    'x-playhead-key': fc.oneof(fc.constantFrom(ADMIN['x-playhead-key'], DATA['x-playhead-key']), word),
    authorization: fc.oneof(fc.constantFrom('Bearer eyJ.eyJ.x', 'Basic x', 'Bearer'), word),
    origin: word,
    'access-control-request-method': word,
  },
  { requiredKeys: [] },
)
const query = fc.oneof(
  fc.constant(''),
  record.map((text) => `?CMCD=${encodeURIComponent(text)}`),
  word.map((text) => `?CMCD=${text.replaceAll(/[\t ]/g, '%')}`),
  fc.constantFrom(
    '?CMCD=%ff%zz',
    '?CMCD[]=1',
    '?player[]=x&target=..',
    '?target=a&player=hls.js/1',
    '?key[]=1&token=',
    '?token=x',
    '?url=%00&CMCD=sid%3D%22a%22',
    '?hours=-1',
  ),
)
const method = fc.constantFrom('POST', 'POST', 'POST', 'GET', 'PUT', 'OPTIONS', 'HEAD')

test('thousands of malformed bodies, headers, queries and tokens: no 5xx, and every refusal is a problem', async (t) => {
  const h = await startHarness(t, { folding: false })
  const token = await playbackToken(h)
  const path = fc.oneof(
    fc.constantFrom(
      '/v1/cmcd',
      `/v1/cmcd/${token}`,
      '/v1/cmcd/request',
      `/v1/cmcd/request/${token}`,
      `/v1/cmcd/${token}x`,
      '/v1/cmcd/',
      '/v1/cmcd/request/',
      '/v1/cmcd/%00',
      '/v1/cmcd/eyJ.eyJ.x',
      `/v1/cmcd/${'x'.repeat(5_000)}`,
    ),
    word.map((text) => `/v1/cmcd/${encodeURIComponent(text)}`),
  )
  let taken = 0
  await fc.assert(
    fc.asyncProperty(
      method,
      path,
      query,
      headers,
      fc.boolean(),
      payload,
      async (verb, where, asked, extra, known, body) => {
        const answer = await h.app.inject({
          method: verb,
          url: where + asked,
          headers: { ...(known && PUBLISHABLE), ...extra },
          ...(body !== undefined && { payload: body }),
        })
        const said = `${verb} ${where}${asked} ${JSON.stringify(extra)} → ${answer.statusCode} ${answer.body} ${JSON.stringify(h.failures)}`
        assert.ok(answer.statusCode < 500, said)
        assert.deepEqual(h.failures, [], said)
        if (answer.statusCode === 204) taken++
        else if (verb !== 'HEAD') assert.match(String(answer.headers['content-type']), /problem\+json/, said)
      },
    ),
    { numRuns: 4_000 },
  )
  assert.ok(taken > 500, `${taken} were taken: the rest says little`)
})
