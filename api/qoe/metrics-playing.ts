/** How it played: stalls and seeks, picture, delivery. */
import { HOUR_MS } from './limits.ts'
import { type Metric, ratio } from './metric-kinds.ts'

export const STALLING = {
  rebuffer_percent: ratio(
    'Rebuffering',
    'percent',
    { over: ['stalled_ms'], by: ['watched_ms'], scale: 100 },
    'Stalled time ÷ watched time of all views together, not the mean of their ratios. Target: under 0.5 %. Conviva counts stalls that no seek precedes, over playing and stalled time; Puffer what comes after startup.',
    {
      mux: { over: ['mux_stalled_ms'], by: ['mux_watch_ms'], scale: 100 },
      conviva: { over: ['connection_stalled_ms'], by: ['playing_ms', 'stalled_ms'], scale: 100 },
      puffer: { over: ['puffer_stalled_ms'], by: ['puffer_ms'], scale: 100 },
    },
  ),
  rebuffer_frequency: ratio(
    'Stalls per hour watched',
    'per hour',
    { over: ['stalls'], by: ['watched_ms'], scale: HOUR_MS },
    'How often the picture stops. Mux leaves out stalls under 250 ms.',
    {
      mux: { over: ['mux_stalls'], by: ['mux_watch_ms'], scale: HOUR_MS },
      conviva: { over: ['connection_stalls'], by: ['playing_ms', 'stalled_ms'], scale: HOUR_MS },
    },
  ),
  stalls_per_view: ratio(
    'Stalls per view',
    'per view',
    { over: ['stalls'], by: ['views'] },
    'Startup and seeks are no stalls.',
    { mux: { over: ['mux_stalls'], by: ['views'] }, conviva: { over: ['connection_stalls'], by: ['views'] } },
  ),
  stalled_view_percent: ratio(
    'Views that stalled',
    'percent',
    { over: ['stalled_views'], by: ['views'], scale: 100 },
    'At least once.',
  ),
  sustained_stall_frequency: ratio(
    'Long stalls per hour watched',
    'per hour',
    { over: ['sustained_stalls'], by: ['mux_watch_ms'], scale: HOUR_MS },
    'Of a second and more (Mux): those that people notice.',
  ),
  stall_mean_ms: ratio(
    'Length of a stall, mean',
    'ms',
    { over: ['stalled_ms'], by: ['stalls'] },
    'Few long ones and many short ones feel different.',
    { mux: { over: ['mux_stalled_ms'], by: ['mux_stalls'] } },
  ),
  seek_latency_mean_ms: ratio(
    'Seek latency, mean',
    'ms',
    { over: ['seek_latency_ms'], by: ['seek_latencies'] },
    'Seeking to ready, also when paused meanwhile.',
  ),
  seeks_per_view: ratio('Seeks per view', 'per view', { over: ['seeks'], by: ['views'] }, 'Within 2 s they are one.'),
} as const satisfies Readonly<Record<string, Metric>>

export const PICTURE = {
  average_bitrate_kbps: ratio(
    'Average bitrate',
    'kbit/s',
    { over: ['bits'], by: ['bits_media_ms'] },
    'Weighted by media time; by Mux, by wall time. Media whose bitrate nobody told is not in it.',
    { mux: { over: ['wall_bits'], by: ['wall_bits_ms'] } },
  ),
  upscale_percent: ratio(
    'Upscaling',
    'percent',
    { over: ['upscale_permille_ms'], by: ['scale_ms'], scale: 0.1 },
    'How much larger than its source the picture was shown, weighted by time: blur.',
  ),
  downscale_percent: ratio(
    'Downscaling',
    'percent',
    { over: ['downscale_permille_ms'], by: ['scale_ms'], scale: 0.1 },
    'How much smaller than its source the picture was shown: bits that nobody saw.',
  ),
  switches_per_hour: ratio(
    'Changes of bitrate',
    'per hour',
    { over: ['up_switches', 'down_switches'], by: ['playing_ms'], scale: HOUR_MS },
    'Up and down, over playing time.',
  ),
  dropped_frames_per_hour: ratio(
    'Dropped frames',
    'per hour',
    { over: ['dropped_frames'], by: ['playing_ms'], scale: HOUR_MS },
    'The device is too slow, or the codec too heavy for it.',
  ),
  live_latency_mean_ms: ratio(
    'Live latency, mean',
    'ms',
    { over: ['live_latency_ms'], by: ['live_latencies'] },
    'Behind the live edge; more than 5 min is not counted.',
  ),
} as const satisfies Readonly<Record<string, Metric>>

export const DELIVERY = {
  throughput_kbps: ratio(
    'Throughput',
    'kbit/s',
    { over: ['delivery_bytes'], by: ['delivery_transfer_ms'], scale: 8 },
    'Σ bits ÷ Σ time of the media requests.',
  ),
  first_byte_mean_ms: ratio(
    'Time to first byte, mean',
    'ms',
    { over: ['delivery_first_byte_ms'], by: ['delivery_requests'] },
    'Of the media requests.',
  ),
  delivery_failure_percent: ratio(
    'Failed requests',
    'percent',
    { over: ['delivery_failures'], by: ['delivery_requests', 'delivery_failures'], scale: 100 },
    'Of the media requests.',
  ),
} as const satisfies Readonly<Record<string, Metric>>
