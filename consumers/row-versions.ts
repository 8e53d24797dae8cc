/**
 * Under which version each row of a state stands: the position of the batch that wrote it. Kept with the state, in the
 * order of its rows, so that a row can be taken back as it was written. One varint a row: how far from the row before.
 */
export type RowVersions = readonly number[]

export const NO_ROWS: RowVersions = []

export function encodeRowVersions(versions: RowVersions): Uint8Array {
  const bytes: number[] = []
  let before = 0
  for (const version of versions) {
    let zigzag = zigzagOf(version - before)
    while (zigzag >= 0x80) {
      bytes.push((zigzag % 0x80) + 0x80)
      zigzag = Math.floor(zigzag / 0x80)
    }
    bytes.push(zigzag)
    before = version
  }
  return Uint8Array.from(bytes)
}

export function decodeRowVersions(bytes: Uint8Array): RowVersions {
  const versions: number[] = []
  let before = 0
  let value = 0
  let weight = 1
  for (const byte of bytes) {
    value += (byte % 0x80) * weight
    weight *= 0x80
    if (byte >= 0x80) continue
    before += value % 2 === 0 ? value / 2 : -(value + 1) / 2
    versions.push(before)
    value = 0
    weight = 1
  }
  if (weight !== 1) throw new TypeError('row versions end in the middle of a number')
  return versions
}

/** Exact for positions below 2^52: no bit operations, which would cut them at 32. */
function zigzagOf(difference: number): number {
  return difference >= 0 ? difference * 2 : -difference * 2 - 1
}
