/**
 * What fields of a CDN's log are called, and what we call them. Of two names that mean the same in one line, the one
 * that stands first here counts. Names that are not here need `--map theirs=ours`.
 */
export const FORMATS = ['combined', 'json', 'cloudfront', 'fastly', 'akamai'] as const
export type LogFormat = (typeof FORMATS)[number]

/** What a line can say. Times are of one unit each, by the name's ending; `cmcd.` goes before one CMCD key. */
export const LINE_FIELDS = [
  ...['time', 'request', 'method', 'url', 'scheme', 'host', 'path', 'query', 'status', 'bytes'],
  ...['firstByteMs', 'firstByteSeconds', 'firstByteUs', 'totalMs', 'totalSeconds', 'totalUs'],
  ...['cdn', 'edge', 'cacheStatus', 'country', 'region', 'asn', 'isp', 'requestId'],
  ...['cmcd', 'cmcdRequest', 'cmcdObject', 'cmcdStatus', 'cmcdSession', 'cmcd.'],
] as const

export interface Preset {
  /** Who served, unless a line or --cdn says otherwise. */
  readonly cdn?: string
  readonly names: readonly (readonly [ours: string, ...theirs: string[]])[]
}

/** The four headers, as proxies and CDNs name request headers in their logs. */
const HEADERS = (['Request', 'Object', 'Status', 'Session'] as const).map((name) => {
  const lower = name.toLowerCase()
  const theirs = [`http_cmcd_${lower}`, `cmcd_${lower}`, `CMCD-${name}`, `cmcd-${lower}`, `req_http_cmcd_${lower}`]
  return [`cmcd${name}`, ...theirs] as const
})

const CLOUDFRONT: Preset = {
  cdn: 'cloudfront',
  names: [
    ['time', 'timestamp(ms)', 'timestamp'],
    ['method', 'cs-method'],
    ['scheme', 'cs-protocol'],
    ['host', 'x-host-header', 'cs(Host)', 'cs-host'],
    ['path', 'cs-uri-stem'],
    ['query', 'cs-uri-query'],
    ['status', 'sc-status'],
    ['bytes', 'sc-content-len', 'sc-bytes'],
    ['firstByteSeconds', 'time-to-first-byte'],
    ['totalSeconds', 'time-taken'],
    ['edge', 'x-edge-location'],
    ['cacheStatus', 'x-edge-result-type', 'x-edge-response-result-type'],
    ['country', 'c-country'],
    ['asn', 'asn'],
    ['requestId', 'x-edge-request-id'],
    ['cmcd.br', 'cmcd-encoded-bitrate'],
    ['cmcd.bl', 'cmcd-buffer-length'],
    ['cmcd.bs', 'cmcd-buffer-starvation'],
    ['cmcd.cid', 'cmcd-content-id'],
    ['cmcd.d', 'cmcd-object-duration'],
    ['cmcd.dl', 'cmcd-deadline'],
    ['cmcd.mtp', 'cmcd-measured-throughput'],
    ['cmcd.nor', 'cmcd-next-object-request'],
    ['cmcd.nrr', 'cmcd-next-range-request'],
    ['cmcd.ot', 'cmcd-object-type'],
    ['cmcd.pr', 'cmcd-playback-rate'],
    ['cmcd.rtp', 'cmcd-requested-maximum-throughput'],
    ['cmcd.sf', 'cmcd-streaming-format'],
    ['cmcd.sid', 'cmcd-session-id'],
    ['cmcd.st', 'cmcd-stream-type'],
    ['cmcd.su', 'cmcd-startup'],
    ['cmcd.tb', 'cmcd-top-bitrate'],
    ['cmcd.v', 'cmcd-version'],
  ],
}

/** DataStream 2, lines of JSON. Turn-around is from the request's end to the response's first byte. */
const AKAMAI: Preset = {
  cdn: 'akamai',
  names: [
    ['time', 'reqTimeSec'],
    ['method', 'reqMethod'],
    ['host', 'reqHost'],
    ['path', 'reqPath'],
    ['query', 'queryStr'],
    ['status', 'statusCode'],
    ['bytes', 'bytes', 'objSize', 'rspContentLen'],
    ['firstByteMs', 'timeToFirstByte', 'turnAroundTimeMSec'],
    ['totalMs', 'downloadTime'],
    ['edge', 'edgeIP'],
    ['cacheStatus', 'cacheStatus'],
    ['country', 'country'],
    ['asn', 'asn', 'asnum'],
    ['requestId', 'reqId'],
    ['cmcd', 'cmcd', 'cmcd_data'],
  ],
}

/** The logging format is the customer's own: the names of the one that Fastly proposes, and those often added to it. */
const FASTLY: Preset = {
  cdn: 'fastly',
  names: [
    ['time', 'timestamp', 'time_start', 'start_time', 'time'],
    ['method', 'request_method', 'method'],
    ['host', 'host'],
    ['url', 'url'],
    ['status', 'response_status', 'status'],
    ['bytes', 'response_body_size', 'resp_body_size', 'response_body_size_bytes', 'bytes'],
    ['firstByteSeconds', 'time_to_first_byte', 'ttfb'],
    ['totalUs', 'time_elapsed', 'time_elapsed_usec'],
    ['edge', 'pop', 'datacenter', 'server_datacenter', 'fastly_pop', 'fastly_server'],
    ['cacheStatus', 'response_state', 'cache_status', 'fastly_info_state'],
    ['country', 'geo_country_code', 'client_geo_country_code'],
    ['asn', 'client_as_number', 'asn'],
    ['requestId', 'request_id'],
    ...HEADERS,
  ],
}

/** What nginx, Apache and Caddy people write when they write JSON themselves. */
const JSON_LINES: Preset = {
  names: [
    ['time', 'time', 'timestamp', '@timestamp', 'time_iso8601', 'msec', 'ts', 'time_local'],
    ['request', 'request'],
    ['method', 'method', 'request_method'],
    ['url', 'url', 'request_uri', 'uri'],
    ['scheme', 'scheme'],
    ['host', 'host', 'http_host', 'server_name'],
    ['path', 'path'],
    ['query', 'query', 'query_string', 'args'],
    ['status', 'status', 'status_code'],
    ['bytes', 'bytes', 'body_bytes_sent', 'bytes_sent', 'size'],
    ['firstByteSeconds', 'upstream_header_time'],
    ['totalSeconds', 'request_time', 'duration'],
    ['edge', 'edge', 'pop', 'hostname'],
    ['cacheStatus', 'cache_status', 'upstream_cache_status', 'cache'],
    ['country', 'country', 'country_code', 'geoip_country_code'],
    ['requestId', 'request_id', 'requestId'],
    ['cmcd', 'cmcd', 'CMCD', 'arg_CMCD', 'arg_cmcd'],
    ...HEADERS,
  ],
}

/** What may stand behind a combined line as name=value; the line itself has its places. */
const COMBINED: Preset = {
  names: [
    ['host', 'host', 'vhost'],
    ['firstByteSeconds', 'uht', 'upstream_header_time', 'ttfb'],
    ['totalSeconds', 'rt', 'request_time'],
    ['totalUs', 'us'],
    ['cacheStatus', 'cache', 'cache_status', 'upstream_cache_status', 'cs'],
    ['country', 'country'],
    ['edge', 'edge', 'pop'],
    ['requestId', 'rid', 'request_id'],
    ...HEADERS,
  ],
}

export const PRESETS: Readonly<Record<LogFormat, Preset>> = {
  combined: COMBINED,
  json: JSON_LINES,
  cloudfront: CLOUDFRONT,
  fastly: FASTLY,
  akamai: AKAMAI,
}
