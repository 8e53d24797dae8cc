/**
 * One Kafka node (KRaft, broker and controller in one) on loopback, from Maven's jars.
 *
 * Listeners: PLAIN always; with `tls`, SECURE (TLS with a certificate of a throw-away authority, SASL PLAIN and SCRAM);
 * with `advertised`, PROXIED, whose clients are sent to another port, where a test's proxy stands in the way.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { freePort, runJava, type Server, startJavaServer } from './java.ts'
import { jars } from './maven.ts'
import { type Certificate, makeCertificate } from './tls.ts'

const VERSION = '4.1.1'
const COORDINATES = [`org.apache.kafka:kafka_2.13:${VERSION}`, 'org.slf4j:slf4j-simple:1.7.36']
const HOST = '127.0.0.1'

export interface KafkaOptions {
  readonly dir: string
  readonly port?: number
  readonly heapMb?: number
  readonly tls?: boolean
  /** Where clients of the PROXIED listener are sent. */
  readonly advertised?: number
  /** More lines for server.properties. */
  readonly properties?: Readonly<Record<string, string>>
}

export interface SecureListener {
  readonly port: number
  readonly caFile: string
  readonly username: string
  readonly password: string
}

export interface KafkaServer extends Server {
  readonly secure: SecureListener | undefined
  /** What a proxy forwards to. */
  readonly proxiedPort: number | undefined
}

interface Ports {
  readonly plain: number
  readonly controller: number
  readonly secure: number
  readonly proxied: number
}

export async function startKafka(options: KafkaOptions): Promise<KafkaServer> {
  const { dir, heapMb = 384 } = options
  const data = join(dir, 'data')
  await mkdir(data, { recursive: true })
  const ports: Ports = {
    plain: options.port ?? (await freePort()),
    controller: await freePort(),
    secure: await freePort(),
    proxied: await freePort(),
  }
  const login = { username: 'playhead', password: randomBytes(12).toString('hex') }
  const certificate = options.tls ? await makeCertificate(join(dir, 'tls'), HOST) : undefined
  const file = join(dir, 'server.properties')
  const lines = Object.entries(properties(options, ports, data, login, certificate)).map(([k, v]) => `${k}=${v}`)
  // It names a password, of a server that lives as long as its folder.
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 })

  const classPath = `${await jars(COORDINATES, 'kafka')}/*`
  await format(dir, file, classPath, certificate ? login : undefined)
  const server = await startJavaServer({
    name: 'kafka',
    host: HOST,
    port: ports.plain,
    url: `kafka://${HOST}:${ports.plain}`,
    dir,
    args: [...javaOptions(heapMb), '-cp', classPath, 'kafka.Kafka', file],
    ready: () => answers(ports.plain),
  })
  const secure = certificate && { port: ports.secure, caFile: certificate.caFile, ...login }
  const proxiedPort = options.advertised === undefined ? undefined : ports.proxied
  // Not a spread: pid changes with a restart.
  return Object.assign(Object.create(server) as Server, { secure, proxiedPort })
}

function javaOptions(heapMb: number): string[] {
  const quiet = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-Djava.awt.headless=true']
  return [`-Xmx${heapMb}m`, `-Xms${Math.min(heapMb, 128)}m`, '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', ...quiet]
}

function properties(
  options: KafkaOptions,
  ports: Ports,
  data: string,
  login: { username: string; password: string },
  certificate: Certificate | undefined,
): Record<string, string> {
  const listeners = [`PLAIN://${HOST}:${ports.plain}`, `CONTROLLER://${HOST}:${ports.controller}`]
  const advertised = [`PLAIN://${HOST}:${ports.plain}`]
  if (certificate) {
    listeners.push(`SECURE://${HOST}:${ports.secure}`)
    advertised.push(`SECURE://${HOST}:${ports.secure}`)
  }
  if (options.advertised !== undefined) {
    listeners.push(`PROXIED://${HOST}:${ports.proxied}`)
    advertised.push(`PROXIED://${HOST}:${options.advertised}`)
  }
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@${HOST}:${ports.controller}`,
    listeners: listeners.join(','),
    'advertised.listeners': advertised.join(','),
    'listener.security.protocol.map': `PLAIN:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT${certificate ? ',SECURE:SASL_SSL' : ''}`,
    'inter.broker.listener.name': 'PLAIN',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': data,
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '4',
    // A broker that was killed is let in again sooner.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    'log.segment.bytes': `${16 * 1024 * 1024}`,
    'log.index.size.max.bytes': `${1024 * 1024}`,
    'log.cleaner.dedupe.buffer.size': `${4 * 1024 * 1024}`,
    'num.network.threads': '2',
    'num.io.threads': '4',
    ...(certificate ? secureProperties(certificate, login) : {}),
    ...options.properties,
  }
}

function secureProperties(
  { keystoreFile }: Certificate,
  { username, password }: { username: string; password: string },
): Record<string, string> {
  const prefix = 'listener.name.secure'
  const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule'
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule'
  return {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    [`${prefix}.ssl.keystore.type`]: 'PEM',
    [`${prefix}.ssl.keystore.location`]: keystoreFile,
    [`${prefix}.ssl.client.auth`]: 'none',
    [`${prefix}.plain.sasl.jaas.config`]: `${plain} required user_${username}="${password}";`,
    [`${prefix}.scram-sha-256.sasl.jaas.config`]: `${scram} required;`,
    [`${prefix}.scram-sha-512.sasl.jaas.config`]: `${scram} required;`,
  }
}

async function format(
  dir: string,
  file: string,
  classPath: string,
  login: { username: string; password: string } | undefined,
): Promise<void> {
  // The tool takes an id that begins with a dash for an option.
  const clusterId = randomBytes(16).toString('base64url').replace(/^-/, 'A')
  const users = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) =>
    login ? ['--add-scram', `${mechanism}=[name=${login.username},password=${login.password}]`] : [],
  )
  const args = ['format', '--ignore-formatted', '-t', clusterId, '-c', file, ...users]
  await runJava([...javaOptions(256), '-cp', classPath, 'kafka.tools.StorageTool', ...args], dir)
}

/** Kafka's own words: an ApiVersions request, answered by a broker that takes requests. */
function answers(port: number): Promise<boolean> {
  const request = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 255, 255])
  return new Promise((resolve) => {
    const socket = connect({ host: HOST, port }, () => socket.write(request))
    const done = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(2_000, () => done(false))
    socket
      .once('data', () => done(true))
      .once('error', () => done(false))
      .once('close', () => done(false))
  })
}
