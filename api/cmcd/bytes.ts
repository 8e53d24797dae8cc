/** A body of event mode as text: gzip undone within a limit. Bytes that are no UTF-8 cost only the value they are in. */
import { gunzip } from 'node:zlib'
import { Problem } from '../problems.ts'
import { COLLECTOR_LIMITS } from './limits.ts'

export async function textOfBody(body: unknown, encoding: string | undefined): Promise<string> {
  if (!Buffer.isBuffer(body)) return ''
  const name = encoding?.trim().toLowerCase() ?? ''
  if (name === '' || name === 'identity') return body.toString('utf8')
  if (name === 'gzip' || name === 'x-gzip') return (await inflated(body)).toString('utf8')
  throw new Problem('CONTENT_ENCODING', 'Send the body as it is, or with Content-Encoding: gzip.')
}

function inflated(packed: Buffer): Promise<Buffer> {
  const { inflatedBytesMax } = COLLECTOR_LIMITS
  return new Promise((resolve, reject) => {
    gunzip(packed, { maxOutputLength: inflatedBytesMax }, (error: NodeJS.ErrnoException | null, bytes) => {
      if (error === null) resolve(bytes)
      else if (error.code === 'ERR_BUFFER_TOO_LARGE') {
        reject(new Problem('BODY_TOO_LARGE', `At most ${inflatedBytesMax} bytes are taken once unpacked.`))
      } else reject(new Problem('BODY_ENCODING_BROKEN', 'The body is not valid gzip.'))
    })
  })
}
