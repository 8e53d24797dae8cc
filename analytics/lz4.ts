/**
 * LZ4, as far as clients need it: blocks are read in full; blocks are written as literals only, which every reader
 * takes and which cost nothing (the other end is on loopback; who wants it small asks for gzip).
 */
import { refuse } from './errors.ts'

function broken(): Error {
  return refuse('CANNOT_DECOMPRESS', 'Cannot decompress an LZ4 block')
}

/** Decodes `source` behind the first `start` bytes of `target` (what matches may reach back to); answers the end. */
export function decodeBlock(source: Buffer, target: Buffer, start: number): number {
  let from = 0
  let to = start
  const extended = (value: number): number => {
    let sum = value
    for (let byte = 255; value === 15 && byte === 255; ) {
      byte = source[from++] ?? fail()
      sum += byte
    }
    return sum
  }
  while (from < source.length) {
    const token = source[from++] ?? fail()
    const literals = extended(token >> 4)
    if (from + literals > source.length || to + literals > target.length) throw broken()
    source.copy(target, to, from, from + literals)
    from += literals
    to += literals
    if (from >= source.length) return to
    if (from + 2 > source.length) throw broken()
    const offset = source.readUInt16LE(from)
    from += 2
    const length = extended(token & 15) + 4
    if (offset === 0 || offset > to || to + length > target.length) throw broken()
    copyMatch(target, to, offset, length)
    to += length
  }
  return to
}

function fail(): never {
  throw broken()
}

/** A match may overlap what it writes: then it repeats. */
function copyMatch(target: Buffer, to: number, offset: number, length: number): void {
  if (offset >= length) target.copy(target, to, to - offset, to - offset + length)
  else for (let index = 0; index < length; index += 1) target[to + index] = target[to + index - offset] ?? 0
}

export function literalBlock(data: Buffer): Buffer {
  const head = [Math.min(data.length, 15) << 4]
  if (data.length >= 15) {
    let rest = data.length - 15
    for (; rest >= 255; rest -= 255) head.push(255)
    head.push(rest)
  }
  return Buffer.concat([Buffer.from(head), data])
}
