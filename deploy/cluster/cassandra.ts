/** One Cassandra node on loopback, from Maven's jars. Its states and its owner are those of every Java server (java.ts). */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { Client, types } from 'cassandra-driver'
import { freePort, type Server, startJavaServer } from './java.ts'
import { jars } from './maven.ts'
import { type Certificate, makeCertificate } from './tls.ts'

const host = '127.0.0.1'
const artifacts = ['org.apache.cassandra:cassandra-all:5.0.6']

export interface CassandraOptions {
  /** Data, configuration and log; the caller removes it. */
  readonly dir: string
  readonly port?: number
  readonly heapMb?: number
  /** Clients need TLS and a password. */
  readonly secured?: boolean
  /** They need a certificate of their own, too. */
  readonly clientCertificates?: boolean
}

type Secure = Certificate & { readonly username: string; readonly password: string }

export interface CassandraServer extends Server {
  readonly secure: Secure | undefined
}

export async function startCassandra(options: CassandraOptions): Promise<CassandraServer> {
  const { dir, heapMb = 768 } = options
  await mkdir(dir, { recursive: true })
  const port = options.port ?? (await freePort(host))
  const classes = await jars(artifacts, 'cassandra')
  const certificate = options.secured ? await makeCertificate(join(dir, 'tls'), host) : undefined
  const security = certificate ? securedBy(certificate, options.clientCertificates ?? false) : ''
  const secure = certificate && { ...certificate, username: firstUser, password: firstUser }
  await writeFile(join(dir, 'cassandra.yaml'), yaml(dir, port, await freePort(host)) + security)
  await writeFile(join(dir, 'logback.xml'), logback)
  const server = await startJavaServer({
    name: 'cassandra',
    host,
    port,
    url: `cassandra://${host}:${port}`,
    dir,
    args: [...jvmOptions(dir, heapMb), '-cp', `${classes}/*`, 'org.apache.cassandra.service.CassandraDaemon'],
    ready: async () => (await listens(port)) && (!secure || (await letsIn(port, secure))),
  })
  // Not a spread: that would freeze `pid` at the first process.
  return Object.assign(server, { secure })
}

/** Made by Cassandra itself, a little after the node begins to listen; name and password are the same. */
const firstUser = 'cassandra'

function jvmOptions(dir: string, heapMb: number): string[] {
  const exported = [
    'java.base/jdk.internal.misc',
    'java.base/java.lang.ref',
    'java.management.rmi/com.sun.jmx.remote.internal.rmi',
    'java.rmi/sun.rmi.registry',
    'java.rmi/sun.rmi.server',
    'java.sql/java.sql',
    'jdk.unsupported/sun.misc',
  ]
  const opened = [
    'java.base/java.io',
    'java.base/java.lang',
    'java.base/java.lang.module',
    'java.base/java.lang.reflect',
    'java.base/java.util',
    'java.base/jdk.internal.loader',
    'java.base/jdk.internal.math',
    'java.base/jdk.internal.module',
    'java.base/jdk.internal.ref',
    'java.base/jdk.internal.reflect',
    'java.base/jdk.internal.util.jar',
    'java.base/sun.nio.ch',
    'jdk.management/com.sun.management.internal',
  ]
  return [
    `-Xms${heapMb}m`,
    `-Xmx${heapMb}m`,
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-Xshare:auto',
    '-Djdk.attach.allowAttachSelf=true',
    '-Dio.netty.tryReflectionSetAccessible=true',
    ...exported.flatMap((name) => ['--add-exports', `${name}=ALL-UNNAMED`]),
    ...opened.flatMap((name) => ['--add-opens', `${name}=ALL-UNNAMED`]),
    `-Dcassandra.config=file://${dir}/cassandra.yaml`,
    `-Dcassandra.storagedir=${dir}`,
    `-Dlogback.configurationFile=file://${dir}/logback.xml`,
    // One node has nobody to wait for.
    '-Dcassandra.skip_wait_for_gossip_to_settle=0',
    '-Dcassandra.ring_delay_ms=500',
    '-Dcassandra.superuser_setup_delay_ms=0',
  ]
}

/**
 * `commitlog_sync: batch`: one node alone must have a write on disk before it says so. On a cluster the default
 * (every 10 s) is usual, and the replicas are what keeps a write.
 */
function yaml(dir: string, port: number, storagePort: number): string {
  return `cluster_name: playhead
num_tokens: 1
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: SimpleSnitch
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: "${host}:${storagePort}"
listen_address: ${host}
storage_port: ${storagePort}
start_native_transport: true
rpc_address: ${host}
native_transport_port: ${port}
data_file_directories: ["${dir}/data"]
commitlog_directory: "${dir}/commitlog"
saved_caches_directory: "${dir}/saved_caches"
hints_directory: "${dir}/hints"
cdc_raw_directory: "${dir}/cdc_raw"
commitlog_sync: batch
commitlog_segment_size: 16MiB
commitlog_total_space: 256MiB
memtable_allocation_type: heap_buffers
memtable_heap_space: 128MiB
file_cache_size: 64MiB
key_cache_size: 8MiB
concurrent_reads: 16
concurrent_writes: 16
concurrent_compactors: 1
compaction_throughput: 32MiB/s
hinted_handoff_enabled: false
auto_snapshot: false
`
}

const logback = `<configuration>
  <appender name="STDOUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%-5level %date{HH:mm:ss,SSS} %logger{0} - %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="STDOUT"/></root>
</configuration>
`

function securedBy({ keystoreFile, caFile }: Certificate, clientCertificates: boolean): string {
  return `authenticator: PasswordAuthenticator
authorizer: CassandraAuthorizer
client_encryption_options:
  enabled: true
  optional: false
  ssl_context_factory:
    class_name: org.apache.cassandra.security.PEMBasedSslContextFactory
  keystore: ${keystoreFile}
  truststore: ${caFile}
  require_client_auth: ${clientCertificates}
`
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host)
    const answer = (open: boolean) => {
      socket.destroy()
      resolve(open)
    }
    socket.once('connect', () => answer(true)).once('error', () => answer(false))
  })
}

async function letsIn(port: number, { caFile, certFile, keyFile, username, password }: Secure): Promise<boolean> {
  const [ca, cert, key] = await Promise.all([caFile, certFile, keyFile].map((file) => readFile(file)))
  const client = new Client({
    contactPoints: [host],
    protocolOptions: { port, maxVersion: types.protocolVersion.v4 },
    localDataCenter: 'datacenter1',
    credentials: { username, password },
    sslOptions: { ca, cert, key, rejectUnauthorized: true },
  })
  try {
    await client.connect()
    return true
  } finally {
    await client.shutdown()
  }
}
