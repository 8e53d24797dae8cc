/** CityHash128 of version 1.0.2, the one that ClickHouse froze: the checksum of its compressed blocks. */
const K0 = 0xc3a5c85c97cb3127n
const K1 = 0xb492b66fbe98f273n
const K2 = 0x9ae16a3b2f90404fn
const K3 = 0xc949d7c7509e6557n
const MUL = 0x9ddfea08eb382d69n

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value)
const rotate = (value: bigint, by: bigint): bigint => (by === 0n ? value : u64((value >> by) | (value << (64n - by))))
const shiftMix = (value: bigint): bigint => value ^ (value >> 47n)

function mix(low: bigint, high: bigint): bigint {
  let a = u64((low ^ high) * MUL)
  a ^= a >> 47n
  let b = u64((high ^ a) * MUL)
  b ^= b >> 47n
  return u64(b * MUL)
}

type Pair = readonly [bigint, bigint]

function weak(data: Buffer, at: number, seedA: bigint, seedB: bigint): Pair {
  const w = data.readBigUInt64LE(at)
  const z = data.readBigUInt64LE(at + 24)
  let a = u64(seedA + w)
  let b = rotate(u64(seedB + a + z), 21n)
  const c = a
  a = u64(a + data.readBigUInt64LE(at + 8) + data.readBigUInt64LE(at + 16))
  b = u64(b + rotate(a, 44n))
  return [u64(a + z), u64(b + c)]
}

/** 16 bytes: the low half, then the high half, both little-endian. */
export function cityHash128(data: Buffer): Buffer {
  const [low, high] = hash(data)
  const digest = Buffer.allocUnsafe(16)
  digest.writeBigUInt64LE(low, 0)
  digest.writeBigUInt64LE(high, 8)
  return digest
}

function hash(data: Buffer): Pair {
  const size = data.length
  if (size >= 16) return seeded(data.subarray(16), data.readBigUInt64LE(0) ^ K3, data.readBigUInt64LE(8))
  if (size >= 8) {
    const low = data.readBigUInt64LE(0) ^ u64(BigInt(size) * K0)
    return seeded(Buffer.alloc(0), low, data.readBigUInt64LE(size - 8) ^ K1)
  }
  return seeded(data, K0, K1)
}

function seeded(data: Buffer, low: bigint, high: bigint): Pair {
  return data.length < 128 ? short(data, low, high) : long(data, low, high)
}

function short(data: Buffer, low: bigint, high: bigint): Pair {
  const size = data.length
  let [a, b, c, d] = [low, high, 0n, 0n]
  if (size <= 16) {
    a = u64(shiftMix(u64(a * K1)) * K1)
    c = u64(b * K1 + upTo16(data))
    d = shiftMix(u64(a + (size >= 8 ? data.readBigUInt64LE(0) : c)))
  } else {
    c = mix(u64(data.readBigUInt64LE(size - 8) + K1), a)
    d = mix(u64(b + BigInt(size)), u64(c + data.readBigUInt64LE(size - 16)))
    a = u64(a + d)
    for (let at = 0; at < size - 16; at += 16) {
      a = u64((a ^ u64(shiftMix(u64(data.readBigUInt64LE(at) * K1)) * K1)) * K1)
      b ^= a
      c = u64((c ^ u64(shiftMix(u64(data.readBigUInt64LE(at + 8) * K1)) * K1)) * K1)
      d ^= c
    }
  }
  a = mix(a, c)
  b = mix(d, b)
  return [a ^ b, mix(b, a)]
}

function upTo16(data: Buffer): bigint {
  const size = data.length
  const length = BigInt(size)
  if (size > 8) {
    const a = data.readBigUInt64LE(0)
    const b = data.readBigUInt64LE(size - 8)
    return mix(a, rotate(u64(b + length), length)) ^ b
  }
  if (size >= 4) return mix(u64(length + (BigInt(data.readUInt32LE(0)) << 3n)), BigInt(data.readUInt32LE(size - 4)))
  if (size === 0) return K2
  const y = BigInt((data[0] ?? 0) + (data[size >> 1] ?? 0) * 256)
  const z = length + BigInt(data[size - 1] ?? 0) * 4n
  return u64(shiftMix(u64(y * K2) ^ u64(z * K3)) * K2)
}

function long(data: Buffer, low: bigint, high: bigint): Pair {
  const size = data.length
  let [x, y, z] = [low, high, u64(BigInt(size) * K1)]
  const v0 = u64(rotate(y ^ K1, 49n) * K1 + data.readBigUInt64LE(0))
  let v: Pair = [v0, u64(rotate(v0, 42n) * K1 + data.readBigUInt64LE(8))]
  let w: Pair = [u64(rotate(u64(y + z), 35n) * K1 + x), u64(rotate(u64(x + data.readBigUInt64LE(88)), 53n) * K1)]
  const rounds = size - (size % 128)
  for (let at = 0; at < rounds; at += 64) {
    x = u64(rotate(u64(x + y + v[0] + data.readBigUInt64LE(at + 16)), 37n) * K1) ^ w[1]
    y = u64(rotate(u64(y + v[1] + data.readBigUInt64LE(at + 48)), 42n) * K1) ^ v[0]
    z = rotate(z ^ w[0], 33n)
    v = weak(data, at, u64(v[1] * K1), u64(x + w[0]))
    w = weak(data, at + 32, u64(z + w[1]), y)
    ;[z, x] = [x, z]
  }
  y = u64(y + rotate(w[0], 37n) * K0 + z)
  x = u64(x + rotate(u64(v[0] + z), 49n) * K0)
  for (let done = 0; done < size - rounds; ) {
    done += 32
    y = u64(rotate(u64(y - x), 42n) * K0 + v[1])
    w = [u64(w[0] + data.readBigUInt64LE(size - done + 16)), w[1]]
    x = u64(rotate(x, 49n) * K0 + w[0])
    w = [u64(w[0] + v[0]), w[1]]
    v = weak(data, size - done, v[0], v[1])
  }
  x = mix(x, v[0])
  y = mix(y, w[0])
  return [u64(mix(u64(x + v[1]), w[1]) + y), mix(u64(x + w[1]), u64(y + v[1]))]
}
