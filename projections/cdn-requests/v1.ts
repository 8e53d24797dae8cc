/**
 * Projection `cdn_requests`, fold version 1: the media requests that CDNs' logs and players report (request-mode CMCD),
 * one row each. Whoever asks joins them to views by session; a copy of a log line has the same id and adds nothing.
 */
import type { EventOf } from '../../schemas/index.ts'
import { asnCell, timeCell } from '../cells.ts'
import type { Cell, Entry, Journal, Landing, Projection } from '../projection.ts'

const landing: Landing = {
  name: 'landing_cdn_requests',
  target: 'cdn_requests',
  columns: [
    ...['topic', 'partition', 'position', 'event_id', 'occurred_at', 'received_at', 'source', 'app_id', 'environment'],
    ...['session_id', 'title_id', 'url', 'method', 'status', 'bytes', 'first_byte_ms', 'total_ms'],
    ...['object_type', 'object_duration_ms', 'bitrate_kbps', 'top_bitrate_kbps', 'buffer_ms', 'deadline_ms'],
    ...['throughput_kbps', 'starved', 'startup', 'playback_rate_permille', 'stream_type', 'protocol'],
    ...['cdn', 'edge', 'cache_status', 'country', 'region', 'asn', 'isp', 'device_type', 'keys'],
  ],
}

const journal: Journal = {
  landing,
  row({ topic, partition, position, fate, event }: Entry): readonly Cell[] | undefined {
    if (fate !== 'folded' || event?.type !== 'CmcdRequest') return undefined
    const { meta, sessionId, titleId, url, method } = event
    return [
      ...[topic, partition, position, meta.eventId, timeCell(meta.occurredAt), timeCell(meta.receivedAt)],
      ...[meta.source, meta.appId, meta.environment, sessionId, titleId ?? '', url ?? '', method ?? ''],
      ...measures(event),
      ...delivery(event),
    ]
  },
  rowKey: ({ position }) => position.toString(),
}

/** Null where nobody said: an average must not count it. */
function measures(event: EventOf<'CmcdRequest'>): readonly Cell[] {
  const { status, bytes, firstByteMs, totalMs, objectType, objectDurationMs, bitrateKbps, topBitrateKbps } = event
  const { bufferMs, deadlineMs, throughputKbps, starved, startup, playbackRatePermille } = event
  return [
    ...[status, bytes, firstByteMs, totalMs, objectType ?? '', objectDurationMs, bitrateKbps, topBitrateKbps],
    ...[bufferMs, deadlineMs, throughputKbps, starved, startup, playbackRatePermille],
  ]
}

function delivery({ context, keys, ...event }: EventOf<'CmcdRequest'>): readonly Cell[] {
  const { streamType, protocol, cdn, edge, cacheStatus } = event
  const { country, region, asn, isp, deviceType } = context ?? {}
  return [
    ...[streamType, protocol ?? '', cdn ?? context?.cdn ?? '', edge ?? context?.edge ?? '', cacheStatus ?? ''],
    ...[country ?? '', region ?? '', asnCell(asn), isp ?? '', deviceType ?? '', JSON.stringify(keys)],
  ]
}

export function cdnRequestsV1(): Projection {
  const topics = ['playback-events']
  const reads = ['CmcdRequest'] as const
  return { name: 'cdn_requests', foldVersion: 1, topics, reads, batchMs: 1_000, landings: [landing], journal }
}
