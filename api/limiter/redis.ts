/**
 * The sliding window of window.ts in Redis or Valkey (5 and newer): a hash of slice → count for each subject, taken by
 * one script, on the server's own clock, so that API processes whose clocks differ agree. The only file that knows
 * ioredis, which is loaded when it is first needed.
 *
 * What can fail: any take, while the server is away. Nothing is queued meanwhile; the client comes back by itself.
 */
import { createHash } from 'node:crypto'
import { LIMITER_LIMITS } from './limits.ts'
import type { SharedWindows } from './shared.ts'
import { SLICES, type Verdict } from './window.ts'

/** Answers {allowed, remaining, ms until one is free, ms until all is free}. */
const TAKE = `
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local limit, sliceMs, slices = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local slice = math.floor(nowMs / sliceMs)
local counts, used, sum = {}, {}, 0
local held = redis.call('HGETALL', KEYS[1])
for i = 1, #held, 2 do
  local s, n = tonumber(held[i]), tonumber(held[i + 1])
  if s < slice - slices then
    redis.call('HDEL', KEYS[1], held[i])
  else
    if s > slice then slice = s end
    counts[s] = n
    used[#used + 1] = s
    sum = sum + n
  end
end
local allowed = 0
if sum < limit then
  allowed = 1
  sum = sum + 1
  if counts[slice] == nil then used[#used + 1] = slice end
  counts[slice] = redis.call('HINCRBY', KEYS[1], string.format('%.0f', slice), 1)
  redis.call('PEXPIRE', KEYS[1], sliceMs * (slices + 2))
end
table.sort(used)
local function leaves(s) return math.max(1, (s + slices + 1) * sliceMs - nowMs) end
local retryMs, left = 0, sum
if sum >= limit then
  for _, s in ipairs(used) do
    left = left - counts[s]
    if left < limit then
      retryMs = leaves(s)
      break
    end
  end
end
local resetMs = 0
if #used > 0 then resetMs = leaves(used[#used]) end
return { allowed, math.max(0, limit - sum), math.ceil(retryMs), math.ceil(resetMs) }
`

type Answer = readonly [allowed: number, remaining: number, retryAfterMs: number, resetMs: number]

interface WithScript {
  playheadTake(key: string, limit: number, sliceMs: number, slices: number): Promise<Answer>
}

export interface RedisOptions {
  /** redis:// or rediss://, with password where there is one. */
  readonly url: string
  readonly windowMs?: number
}

export async function openRedisWindows({ url, windowMs }: RedisOptions): Promise<SharedWindows> {
  const { Redis } = await import('ioredis')
  const redis = new Redis(url, {
    connectTimeout: LIMITER_LIMITS.sharedConnectTimeoutMs,
    commandTimeout: LIMITER_LIMITS.sharedTimeoutMs * 2,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(100 * times, LIMITER_LIMITS.sharedReconnectMaxMs),
    scripts: { playheadTake: { lua: TAKE, numberOfKeys: 1 } },
  })
  // Each take that fails says so itself, and who asked counts it: nothing is lost by not looking here.
  redis.on('error', () => undefined)
  const sliceMs = Math.max(1, Math.round((windowMs ?? LIMITER_LIMITS.windowMs) / SLICES))
  const client = redis as unknown as WithScript
  return {
    take: async (key, limit) => verdictOf(await client.playheadTake(keyOf(key), limit, sliceMs, SLICES)),
    close: async () => redis.disconnect(),
  }
}

/** Accounts are not written into a store that only counts. */
function keyOf(key: string): string {
  return `playhead:limit:${createHash('sha256').update(key).digest('base64url').slice(0, 22)}`
}

function verdictOf([allowed, remaining, retryAfterMs, resetMs]: Answer): Verdict {
  return { allowed: allowed === 1, remaining, retryAfterMs, resetMs }
}
