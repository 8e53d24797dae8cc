/** What the API counts about itself. Labels have few values: types, codes, routes; never an id. */
import { Counter, Histogram, type Registry } from 'prom-client'

export interface ApiMetrics {
  readonly requests: Counter<'route' | 'method' | 'status'>
  readonly requestSeconds: Histogram<'route'>
  readonly accepted: Counter<'type'>
  readonly rejected: Counter<'code'>
  readonly appendSeconds: Histogram
  readonly progressWriteSeconds: Histogram<'kind'>
  readonly starts: Counter<'quality' | 'content_type' | 'device'>
  readonly playbackErrors: Counter<'error_type' | 'content_type'>
  readonly slotsUndecided: Counter
  readonly personalLeftOut: Counter
}

export function apiMetrics(registry: Registry): ApiMetrics {
  const registers = [registry]
  return {
    requests: new Counter({
      name: 'playhead_api_requests_total',
      help: 'Requests answered, by route and status.',
      labelNames: ['route', 'method', 'status'],
      registers,
    }),
    requestSeconds: new Histogram({
      name: 'playhead_api_request_seconds',
      help: 'Time from the first byte of a request to the end of its answer.',
      labelNames: ['route'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
      registers,
    }),
    accepted: new Counter({
      name: 'playhead_events_accepted_total',
      help: 'Events that are durable in the log, by type.',
      labelNames: ['type'],
      registers,
    }),
    rejected: new Counter({
      name: 'playhead_events_rejected_total',
      help: 'Events that were answered with a reason instead, by its code.',
      labelNames: ['code'],
      registers,
    }),
    appendSeconds: new Histogram({
      name: 'playhead_log_append_seconds',
      help: 'Time until the log had a request on disk.',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      registers,
    }),
    progressWriteSeconds: new Histogram({
      name: 'progress_write_seconds',
      help: 'Time until the log had a write of progress on disk, by kind: report, batch, clear, mark.',
      labelNames: ['kind'],
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5],
      registers,
    }),
    starts: new Counter({
      name: 'streaming_starts_total',
      help: 'Playbacks that were let start.',
      labelNames: ['quality', 'content_type', 'device'],
      registers,
    }),
    playbackErrors: new Counter({
      name: 'streaming_playback_errors_total',
      help: 'Failures that players reported.',
      labelNames: ['error_type', 'content_type'],
      registers,
    }),
    personalLeftOut: new Counter({
      name: 'playhead_personal_left_out_total',
      help: 'Events written without account and device, because the vault was away.',
      registers,
    }),
    slotsUndecided: new Counter({
      name: 'playhead_stream_slots_undecided_total',
      help: 'Playbacks that were let start although the limit of streams could not be checked in time.',
      registers,
    }),
  }
}
