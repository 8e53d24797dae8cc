/** Where a JWKS document comes from: an https address, or a file. Bounded in time and size; redirects are not followed. */
import { open } from 'node:fs/promises'
import { TOKEN_LIMITS } from './limits.ts'

export function jwksLoader(place: string): () => Promise<string> {
  return /^https?:/.test(place) ? () => fetchText(place) : () => readText(place)
}

async function fetchText(url: string): Promise<string> {
  const answer = await fetch(url, {
    redirect: 'error',
    headers: { accept: 'application/jwk-set+json, application/json' },
    signal: AbortSignal.timeout(TOKEN_LIMITS.jwksTimeoutMs),
  })
  if (!answer.ok) {
    await answer.body?.cancel()
    throw new Error(`it answered ${answer.status}`)
  }
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of answer.body ?? []) {
    length += chunk.length
    if (length > TOKEN_LIMITS.jwksBytesMax) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function readText(path: string): Promise<string> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    if (size > TOKEN_LIMITS.jwksBytesMax) throw tooLarge()
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

function tooLarge(): Error {
  return new Error(`it is larger than ${TOKEN_LIMITS.jwksBytesMax} bytes`)
}
