/** UUIDv7 (RFC 9562): 48 bits of milliseconds, then randomness. Lower case. */
export function uuid7(nowMs: number, random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array): string {
  const bytes = random(new Uint8Array(10))
  bytes[0] = (bytes[0]! & 15) | 112
  bytes[2] = (bytes[2]! & 63) | 128
  let hex = nowMs.toString(16).padStart(12, '0')
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0')
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
