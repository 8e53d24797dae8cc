import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Certificate {
  readonly caFile: string
  readonly certFile: string
  readonly keyFile: string
  /** Key and certificate together, as Kafka wants them. */
  readonly keystoreFile: string
}

/** A throw-away authority and a certificate for one address, made with openssl; valid for two days. */
export async function makeCertificate(dir: string, host: string): Promise<Certificate> {
  await mkdir(dir, { recursive: true })
  const [caFile, caKey, certFile, keyFile, requestFile, namesFile, keystoreFile] = [
    'ca.pem',
    'ca.key',
    'server.pem',
    'server.key',
    'server.csr',
    'names.txt',
    'keystore.pem',
  ].map((name) => join(dir, name)) as [string, string, string, string, string, string, string]
  const key = ['-newkey', 'rsa:2048', '-nodes']
  await writeFile(namesFile, `subjectAltName=${/^[\d.]+$/.test(host) ? 'IP' : 'DNS'}:${host}\n`)
  await openssl('req', '-x509', ...key, '-keyout', caKey, '-out', caFile, '-days', '2', '-subj', '/CN=Playhead test CA')
  await openssl('req', ...key, '-keyout', keyFile, '-out', requestFile, '-subj', `/CN=${host}`)
  const signer = ['-CA', caFile, '-CAkey', caKey, '-CAcreateserial', '-days', '2', '-extfile', namesFile]
  await openssl('x509', '-req', '-in', requestFile, ...signer, '-out', certFile)
  await writeFile(keystoreFile, (await readFile(keyFile, 'utf8')) + (await readFile(certFile, 'utf8')), { mode: 0o600 })
  return { caFile, certFile, keyFile, keystoreFile }
}

async function openssl(...args: string[]): Promise<void> {
  try {
    await run('openssl', args)
  } catch (error) {
    const failed = error as NodeJS.ErrnoException & { stderr?: string }
    if (failed.code === 'ENOENT') throw new Error('openssl is missing: TLS listeners need it to make a certificate.')
    throw new Error(`openssl ${args[0]} failed: ${failed.stderr ?? failed.message}`, { cause: error })
  }
}
