/** A small audience of the last days, whose truth the tests of the ready queries know; rows as the folds would say them. */
import { bucketOf } from '../../projections/histogram.ts'
import type { SliceRow, ViewRow } from '../../projections/views/row.ts'
import { numbers } from '../projections/support.ts'
import { slice, view, viewId } from './qoe-support.ts'

export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS

export interface World {
  readonly views: readonly ViewRow[]
  readonly slices: readonly SliceRow[]
}

/** 300 views that began 12 to 7 hours ago, 60 that began three days ago, 40 that began ten days ago. */
export function worldAt(nowMs: number): World {
  const next = numbers(7)
  const hourMs = nowMs - (nowMs % HOUR_MS)
  const views = Array.from({ length: 400 }, (_, n) => {
    const agoMs = n < 300 ? 12 * HOUR_MS - (n % 300) * 60_000 : n < 360 ? 3 * DAY_MS : 10 * DAY_MS
    return someView(n, hourMs - agoMs + next(60_000), next)
  })
  const slices = views.slice(0, 300).flatMap((v) =>
    [0, 1].map((k) => {
      const minute = v.started_at - (v.started_at % 60_000) + k * 60_000
      const playing_ms = 30_000 + next(30_000)
      const rest = { playing_ms, paused_ms: next(9_000), stalled_ms: next(4_000), ad_ms: next(1_000) }
      return slice({ view_id: v.view_id, title_id: v.title_id, started_at: v.started_at, minute, ...rest })
    }),
  )
  return { views, slices }
}

function someView(n: number, started_at: number, next: (below: number) => number): ViewRow {
  const fate = next(20)
  const failed = fate === 0
  const left = fate === 1
  const timedOut = fate === 2
  const startups = failed || left || timedOut ? 0 : 1
  const startup_ms = startups * (200 + next(5_000))
  const watched_ms = startups * (60_000 + next(3_000_000))
  const media = startups * (50_000 + next(2_000_000))
  const fromS = next(100)
  return view({
    ...{ view_id: viewId(n), profile_id: `p${n % 70}`, session_id: `s${n}`, started_at, last_at: started_at },
    ...{ last_received_at: started_at, title_id: `t${next(6)}`, device_type: ['tv', 'phone', ''][next(3)] as string },
    ...{
      cdn: ['one', 'two'][next(2)] as string,
      isp: `isp-${next(4)}`,
      player: 'hls.js',
      player_version: `1.${next(3)}`,
    },
    ...{ error_code: failed ? `E${next(3)}` : '', failures: failed ? 1 : 0, startup_failures: failed ? 1 : 0 },
    ...{ ended_before_start: left ? 1 : 0, open_unstarted: timedOut ? 1 : 0, open: timedOut ? 1 : 0, starts: startups },
    ...{ startups, startup_ms, startup_bucket: startups * bucketOf(startup_ms), watched_ms },
    ...{ stalls: startups * next(4), stalled_ms: startups * next(9_000), media_ms: media, unique_media_ms: media },
    ...{ bits: media * (1_000 + next(6_000)), bits_media_ms: media, delivery_requests: startups * (1 + next(50)) },
    ...{ delivery_first_byte_ms: startups * next(5_000), delivery_bytes: startups * next(90_000_000) },
    ...{ delivery_transfer_ms: startups * (1 + next(60_000)) },
    ...{ watched_from: startups ? [fromS] : [], watched_to: startups ? [fromS + 1 + next(60)] : [] },
  })
}
