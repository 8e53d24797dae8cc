/** Whose view of what it is. */
import { createHash } from 'node:crypto'

export interface Who {
  readonly profileId: string
  readonly sessionId: string
  readonly titleId: string
  readonly viewId: string
  /** Of its row in `views`. */
  readonly rowKey: string
}

/** The first 32 hexadecimal digits of SHA-256 over the three, each with its length in bytes (4, big-endian) before it. */
export function viewIdOf(profileId: string, sessionId: string, titleId: string): string {
  const hash = createHash('sha256')
  for (const part of [profileId, sessionId, titleId]) {
    const bytes = Buffer.from(part)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    hash.update(length).update(bytes)
  }
  return hash.digest('hex').slice(0, 32)
}

export function whoOf(profileId: string, sessionId: string, titleId: string): Who {
  const viewId = viewIdOf(profileId, sessionId, titleId)
  return { profileId, sessionId, titleId, viewId, rowKey: `v/${viewId}` }
}
