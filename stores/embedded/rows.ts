/**
 * How a row changes, inside a write transaction: the row, the mark of an erasure, and the sweep of both.
 *
 * A row that expired stays, unseen, for `keptMs`, and so does the mark of an erasure: as long as they stay, an older
 * write that comes late still loses to them. `sweeps` knows each by the time it stopped mattering.
 */
import { bodyExpiryMs } from '../canonical.ts'
import type { Environment } from './environment.ts'
import { EMBEDDED_LIMITS } from './limits.ts'

/** A stored row is version (8 bytes), body; so its bytes compare as writes do. */
export const bodyAt = 8
const kinds = { row: 0, mark: 1 } as const
const present = Buffer.from([1])

/** Puts the value there if it wins over what is there: by version, then by its body's bytes. */
export function putRow(env: Environment, key: Buffer, value: Buffer): void {
  const found = env.rows.getBinaryFast(key)
  let foundExpiryMs: number | undefined
  if (found) {
    // A shared buffer: longer than the value in it, and good until the next read.
    if (value.compare(found, 0, found.length) <= 0) return
    foundExpiryMs = bodyExpiryMs(found, bodyAt)
  }
  const expiryMs = bodyExpiryMs(value, bodyAt)
  void env.rows.put(key, value)
  if (expiryMs === foundExpiryMs) return
  if (foundExpiryMs !== undefined) void env.sweeps.remove(sweepKey(foundExpiryMs, kinds.row, key))
  if (expiryMs !== undefined) void env.sweeps.put(sweepKey(expiryMs, kinds.row, key), present)
}

export function removeRow(env: Environment, key: Buffer, value: Buffer): void {
  const expiryMs = bodyExpiryMs(value, bodyAt)
  if (expiryMs !== undefined) void env.sweeps.remove(sweepKey(expiryMs, kinds.row, key))
  void env.rows.remove(key)
}

/** The version up to which writes to this partition are refused. */
export function erasedVersion(env: Environment, partition: Buffer): bigint | undefined {
  return env.erasures.getBinary(partition)?.readBigInt64BE(0)
}

export function markErased(env: Environment, partition: Buffer, version: bigint, nowMs: number): void {
  const found = env.erasures.getBinary(partition)
  if (found) {
    if (found.readBigInt64BE(0) >= version) return
    void env.sweeps.remove(sweepKey(Number(found.readBigInt64BE(8)), kinds.mark, partition))
  }
  const mark = Buffer.alloc(16)
  mark.writeBigInt64BE(version)
  mark.writeBigInt64BE(BigInt(nowMs), 8)
  void env.erasures.put(partition, mark)
  void env.sweeps.put(sweepKey(nowMs, kinds.mark, partition), present)
}

/** Removes what stopped mattering longer than `keptMs` ago. True if there may be more. */
export function sweep(env: Environment, nowMs: number): boolean {
  const end = Buffer.alloc(8)
  end.writeBigInt64BE(BigInt(Math.max(0, nowMs - EMBEDDED_LIMITS.keptMs)))
  const due = [...env.sweeps.getKeys({ start: Buffer.alloc(8), end, limit: EMBEDDED_LIMITS.sweepRowsMax })]
  for (const key of due) {
    void env.sweeps.remove(key)
    void (key[8] === kinds.row ? env.rows : env.erasures).remove(key.subarray(9))
  }
  return due.length === EMBEDDED_LIMITS.sweepRowsMax
}

function sweepKey(timeMs: number, kind: number, key: Buffer): Buffer {
  const out = Buffer.allocUnsafe(9 + key.length)
  out.writeBigInt64BE(BigInt(timeMs))
  out[8] = kind
  out.set(key, 9)
  return out
}
