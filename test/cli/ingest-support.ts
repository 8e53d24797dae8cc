/** Logs that are read into a real event log in a folder that goes away, and the requests that came of them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { LogFormat } from '../../cli/ingest/presets.ts'
import { type IngestJob, type IngestOutcome, ingest } from '../../cli/ingest/run.ts'
import type { EventLog } from '../../log/log.ts'
import type { EventOf } from '../../schemas/index.ts'
import { desk, NOW_MS } from './import-support.ts'

export interface Ingested {
  readonly outcome: IngestOutcome
  readonly said: string
}

export interface IngestDesk {
  readonly dir: string
  readonly log: EventLog
  write(name: string, content: string | Buffer): string
  read(path: string, more?: Partial<Omit<IngestJob, 'wish'>> & { wish?: Partial<IngestJob['wish']> }): Promise<Ingested>
  /** In the order of their times. */
  requests(): Promise<readonly EventOf<'CmcdRequest'>[]>
}

/** The day of the tests' logs has begun, and is long: ten o'clock is before now. */
export const LATE_MS = NOW_MS + 23 * 3_600_000

export async function ingestDesk(t: TestContext, wrap?: (log: EventLog) => EventLog): Promise<IngestDesk> {
  const d = await desk(t, wrap)
  return {
    dir: d.dir,
    log: d.log,
    write: (name, content) => {
      writeFileSync(join(d.dir, name), content)
      return join(d.dir, name)
    },
    read: async (path, { wish, ...more } = {}) => {
      let said = ''
      const say = (text: string) => {
        said += text
      }
      const outcome = await ingest(d.ports, {
        path,
        wish: { format: undefined, columns: undefined, maps: [], command: 'ingest cmcd-log', ...wish },
        cdn: undefined,
        appId: 'default',
        environment: 'production',
        assumeUtc: false,
        errorsMax: 1_000,
        statePath: `${path}.playhead-ingest.json`,
        rejectedPath: `${path}.rejected.ndjson`,
        signal: new AbortController().signal,
        nowMs: () => LATE_MS,
        io: { env: {}, tty: false, out: say, err: say },
        ...more,
      })
      return { outcome, said }
    },
    requests: async () => {
      const events = await d.events()
      const requests = events.filter((event): event is EventOf<'CmcdRequest'> => event.type === 'CmcdRequest')
      return requests.sort(
        (a, b) => a.meta.occurredAt - b.meta.occurredAt || (a.meta.eventId < b.meta.eventId ? -1 : 1),
      )
    },
  }
}

export const CMCD = 'bl=21300,br=3200,bs,cid="film-1",d=4004,mtp=25400,ot=v,sf=h,sid="s-1",st=v,tb=6000'
export const ENCODED = encodeURIComponent(CMCD)
/** A day on which no test's log is yet to come. */
export const AT_MS = Date.UTC(2026, 10, 21, 10, 0, 1)

/** One request as each format writes it. */
export const LINES: Readonly<Record<LogFormat, string>> = {
  combined: `203.0.113.9 - - [21/Nov/2026:12:00:01 +0200] "GET /v/seg1.m4s?token=secret&CMCD=${ENCODED} HTTP/1.1" 206 1048576 "https://player.example/" "Mozilla/5.0 (X11)" host=media.example rt=0.412 uht="0.010, 0.031" cache=HIT rid=abc123\n`,
  json: `${JSON.stringify({
    time_iso8601: '2026-11-21T10:00:01+00:00',
    remote_addr: '203.0.113.9',
    request_method: 'GET',
    host: 'media.example',
    request_uri: `/v/seg1.m4s?token=secret&CMCD=${ENCODED}`,
    status: '206',
    body_bytes_sent: '1048576',
    request_time: '0.412',
    upstream_header_time: '0.041',
    upstream_cache_status: 'HIT',
    http_user_agent: 'Mozilla/5.0 (X11)',
    edge: 'edge-7',
  })}\n`,
  cloudfront: `#Version: 1.0
#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end
${[
  ...[
    '2026-11-21',
    '10:00:01',
    'FRA56-P1',
    '1049000',
    '203.0.113.9',
    'GET',
    'd111.cloudfront.net',
    '/v/seg1.m4s',
    '206',
  ],
  ...['-', 'Mozilla/5.0%20(X11)', `token=secret&CMCD=${ENCODED}`, '-', 'Hit', 'req-1', 'media.example', 'https', '400'],
  ...[
    '0.412',
    '-',
    'TLSv1.3',
    'TLS_AES_128_GCM_SHA256',
    'Hit',
    'HTTP/2.0',
    '-',
    '-',
    '443',
    '0.041',
    'Hit',
    'video/mp4',
  ],
  ...['1048576', '0', '1048575'],
].join('\t')}\n`,
  fastly: `${JSON.stringify({
    timestamp: '2026-11-21T10:00:01+0000',
    client_ip: '203.0.113.9',
    geo_country: 'germany',
    geo_country_code: 'DE',
    host: 'media.example',
    url: `/v/seg1.m4s?token=secret&CMCD=${ENCODED}`,
    request_method: 'GET',
    request_user_agent: 'Mozilla/5.0 (X11)',
    response_state: 'HIT-CLUSTER',
    response_status: 206,
    response_body_size: 1_048_576,
    fastly_server: 'cache-fra-1',
    time_to_first_byte: '0.041',
    time_elapsed: 412_000,
  })}\n`,
  akamai: `${JSON.stringify({
    version: 1,
    streamId: '7050',
    reqId: '1239f220',
    reqTimeSec: '1795255201.000',
    reqMethod: 'GET',
    reqHost: 'media.example',
    reqPath: '/v/seg1.m4s',
    queryStr: `token=secret&CMCD=${ENCODED}`,
    cliIP: '203.0.113.9',
    UA: 'Mozilla%2F5.0',
    statusCode: '206',
    bytes: '1048576',
    totalBytes: '1049000',
    cacheStatus: '1',
    country: 'DE',
    asn: '64500',
    edgeIP: '198.51.100.7',
    timeToFirstByte: '41',
    downloadTime: '412',
  })}\n`,
}
