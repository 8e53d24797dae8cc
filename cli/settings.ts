/**
 * Every setting there is, once: its key, default, parser and help. The loader (config.ts), `playhead config`, the help
 * and docs/configuration.md all read this table.
 */
import {
  analyticsAddress,
  bool,
  filledText,
  integer,
  list,
  logAddress,
  networks,
  oneOf,
  type Parser,
  port,
  storeAddress,
  text,
  webAddress,
} from './addresses.ts'
import { webhookList } from './alert-settings.ts'
import { claimMapping, classLimits, jwksPlace, limitsAddress, secretText } from './caller-settings.ts'
import { definitions } from './definitions.ts'

export interface Setting<T> {
  readonly key: string
  /** Undefined: the setting is absent unless given. */
  readonly default: string | undefined
  readonly parse: Parser<T>
  readonly group:
    | 'General'
    | 'API'
    | 'Tokens and limits'
    | 'Event log'
    | 'State store'
    | 'Analytics'
    | 'Retention'
    | 'Alerts'
    | 'Health and metrics'
  /** `whole`: never shown. `password`: an address whose password is never shown. Both may come from KEY_FILE. */
  readonly secret?: 'whole' | 'password'
  readonly help: string
}

type Optional<T> = Setting<T> & { readonly default: undefined }
type Given<T> = Setting<T> & { readonly default: string }

const given = <T>(s: Given<T>): Given<T> => s
const optional = <T>(s: Omit<Optional<T>, 'default'>): Optional<T> => ({ ...s, default: undefined })

export const SETTINGS = {
  data: given({
    key: 'PLAYHEAD_DATA',
    default: './data',
    parse: filledText,
    group: 'General',
    help: 'Folder of everything that is kept: log, state, analytics, keys.',
  }),
  keysFile: optional({
    key: 'PLAYHEAD_KEYS_FILE',
    parse: filledText,
    group: 'General',
    help: 'Keys shared by all pods. Without it: keys.json in the data folder, made by the first start.',
  }),
  logLevel: given({
    key: 'PLAYHEAD_LOG_LEVEL',
    default: 'info',
    parse: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal'),
    group: 'General',
    help: 'How much the roles log: trace, debug, info, warn, error or fatal.',
  }),
  schemaRegistryUrl: optional({
    key: 'SCHEMA_REGISTRY_URL',
    parse: webAddress,
    group: 'General',
    secret: 'password',
    help: 'An external schema registry. Without it the schema ids of this release are used, and the API serves them.',
  }),

  host: given({
    key: 'PLAYHEAD_HOST',
    default: '127.0.0.1',
    parse: filledText,
    group: 'API',
    help: 'Address the API listens on. 0.0.0.0 lets other machines in.',
  }),
  port: given({
    key: 'PLAYHEAD_PORT',
    default: '8080',
    parse: port,
    group: 'API',
    help: 'Port of the API; 0 takes a free one.',
  }),
  corsOrigins: given({
    key: 'PLAYHEAD_CORS_ORIGINS',
    default: '*',
    parse: list,
    group: 'API',
    help: 'Web origins whose pages may post events, with commas between them; * is all.',
  }),
  trustedProxies: given({
    key: 'PLAYHEAD_TRUSTED_PROXIES',
    default: '',
    parse: networks,
    group: 'API',
    help: 'Addresses and networks of the proxies before the API, such as 10.0.0.0/8,fd00::/8: their X-Forwarded-For says who asks.',
  }),

  tokenSecret: optional({
    key: 'PLAYHEAD_TOKEN_SECRET',
    parse: secretText,
    group: 'Tokens and limits',
    secret: 'whole',
    help: 'Secret with which your backend signs profile tokens (HS256). Without it and without a JWKS: token-secret in the data folder, made by the first start.',
  }),
  tokenSecretOld: optional({
    key: 'PLAYHEAD_TOKEN_SECRET_OLD',
    parse: secretText,
    group: 'Tokens and limits',
    secret: 'whole',
    help: 'The former secret, while it is changed: tokens signed with it are still taken.',
  }),
  tokenJwks: optional({
    key: 'PLAYHEAD_TOKEN_JWKS',
    parse: jwksPlace,
    group: 'Tokens and limits',
    help: 'Public keys of those who sign profile tokens (EdDSA, RS256, ES256): an https address, or a file.',
  }),
  tokenClaims: given({
    key: 'PLAYHEAD_TOKEN_CLAIMS',
    default: 'profile=profile,account=account',
    parse: claimMapping,
    group: 'Tokens and limits',
    help: 'What the claims are called in the login tokens you have, such as profile=sub,account=/app_metadata/account. What is left out is called profile, account, plan, region, app, env.',
  }),
  tokenIssuer: optional({
    key: 'PLAYHEAD_TOKEN_ISSUER',
    parse: filledText,
    group: 'Tokens and limits',
    help: 'Wanted in the claim iss of profile tokens.',
  }),
  tokenAudience: optional({
    key: 'PLAYHEAD_TOKEN_AUDIENCE',
    parse: filledText,
    group: 'Tokens and limits',
    help: 'Wanted in the claim aud of profile tokens.',
  }),
  playbackSecret: optional({
    key: 'PLAYHEAD_PLAYBACK_SECRET',
    parse: secretText,
    group: 'Tokens and limits',
    secret: 'whole',
    help: 'Secret of the playback tokens that the API makes. Without it: derived from the secret above.',
  }),
  limits: given({
    key: 'PLAYHEAD_LIMITS',
    default: 'memory',
    parse: limitsAddress,
    group: 'Tokens and limits',
    secret: 'password',
    help: 'Where requests are counted: memory (each process), or redis(s)://[user:password@]host:port, shared by all (Valkey too).',
  }),
  limitClasses: given({
    key: 'PLAYHEAD_LIMIT_CLASSES',
    default: 'progress=60,start=30,browse=100,events=6000',
    parse: classLimits,
    group: 'Tokens and limits',
    help: 'Requests in a minute, by class; a class that is left out keeps its default.',
  }),

  log: given({
    key: 'PLAYHEAD_LOG',
    default: 'embedded',
    parse: logAddress,
    group: 'Event log',
    secret: 'password',
    help: 'embedded, or kafka://[user:password@]host:port,host:port',
  }),
  logPassword: optional({
    key: 'PLAYHEAD_LOG_PASSWORD',
    parse: filledText,
    group: 'Event log',
    secret: 'whole',
    help: "Kafka's password, where it should not stand in the address.",
  }),
  logSaslMechanism: given({
    key: 'PLAYHEAD_LOG_SASL_MECHANISM',
    default: 'scram-sha-512',
    parse: oneOf('plain', 'scram-sha-256', 'scram-sha-512'),
    group: 'Event log',
    help: 'How Kafka checks the user: plain, scram-sha-256 or scram-sha-512.',
  }),
  logTls: given({
    key: 'PLAYHEAD_LOG_TLS',
    default: 'false',
    parse: bool,
    group: 'Event log',
    help: 'Reach Kafka over TLS (on by itself where a CA file is given).',
  }),
  logCaFile: optional({
    key: 'PLAYHEAD_LOG_CA_FILE',
    parse: filledText,
    group: 'Event log',
    help: "PEM file of the CA that signed Kafka's certificate.",
  }),
  logCertFile: optional({
    key: 'PLAYHEAD_LOG_CERT_FILE',
    parse: filledText,
    group: 'Event log',
    help: 'PEM file of our certificate, where Kafka asks for one.',
  }),
  logCertKeyFile: optional({
    key: 'PLAYHEAD_LOG_CERT_KEY_FILE',
    parse: filledText,
    group: 'Event log',
    help: "PEM file of that certificate's private key.",
  }),
  logReplication: given({
    key: 'PLAYHEAD_LOG_REPLICATION',
    default: '1',
    parse: integer(1, 9),
    group: 'Event log',
    help: 'Replicas of topics that we create. A cluster that matters has 3.',
  }),
  archive: optional({
    key: 'PLAYHEAD_ARCHIVE',
    parse: filledText,
    group: 'Event log',
    help: 'Folder of the archive that `playhead log archive` wrote: what was trimmed from the log is read there. Every role needs it.',
  }),

  store: given({
    key: 'PLAYHEAD_STORE',
    default: 'embedded',
    parse: storeAddress,
    group: 'State store',
    secret: 'password',
    help: 'embedded, or cassandra://[user:password@]host:port,host:port/keyspace',
  }),
  storePassword: optional({
    key: 'PLAYHEAD_STORE_PASSWORD',
    parse: filledText,
    group: 'State store',
    secret: 'whole',
    help: "Cassandra's password, where it should not stand in the address.",
  }),
  storeDc: optional({
    key: 'PLAYHEAD_STORE_DC',
    parse: filledText,
    group: 'State store',
    help: 'Our Cassandra data centre; reads and writes then stay in it (LOCAL_QUORUM).',
  }),
  storeReplication: optional({
    key: 'PLAYHEAD_STORE_REPLICATION',
    parse: integer(1, 9),
    group: 'State store',
    help: 'Replicas of a keyspace that we create. Without it: on every node, up to three of each data centre.',
  }),
  storeCaFile: optional({
    key: 'PLAYHEAD_STORE_CA_FILE',
    parse: filledText,
    group: 'State store',
    help: "PEM file of the CA that signed Cassandra's certificate; given, TLS is used.",
  }),
  storeCertFile: optional({
    key: 'PLAYHEAD_STORE_CERT_FILE',
    parse: filledText,
    group: 'State store',
    help: 'PEM file of our certificate, where Cassandra asks for one.',
  }),
  storeCertKeyFile: optional({
    key: 'PLAYHEAD_STORE_CERT_KEY_FILE',
    parse: filledText,
    group: 'State store',
    help: "PEM file of that certificate's private key.",
  }),

  analytics: given({
    key: 'PLAYHEAD_ANALYTICS',
    default: 'embedded',
    parse: analyticsAddress,
    group: 'Analytics',
    secret: 'password',
    help: 'embedded, or http(s)://user:password@host:8123/database',
  }),
  analyticsPassword: optional({
    key: 'PLAYHEAD_ANALYTICS_PASSWORD',
    parse: filledText,
    group: 'Analytics',
    secret: 'whole',
    help: "ClickHouse's password, where it should not stand in the address.",
  }),
  analyticsCaFile: optional({
    key: 'PLAYHEAD_ANALYTICS_CA_FILE',
    parse: filledText,
    group: 'Analytics',
    help: "PEM file of the CA that signed ClickHouse's certificate.",
  }),
  analyticsHost: given({
    key: 'PLAYHEAD_ANALYTICS_HOST',
    default: '127.0.0.1',
    parse: filledText,
    group: 'Analytics',
    help: 'Address the embedded ClickHouse interface listens on.',
  }),
  analyticsPort: given({
    key: 'PLAYHEAD_ANALYTICS_PORT',
    default: '8123',
    parse: port,
    group: 'Analytics',
    help: 'Port of the embedded ClickHouse interface; 0 takes a free one.',
  }),

  live: given({
    key: 'PLAYHEAD_LIVE',
    default: 'true',
    parse: bool,
    group: 'API',
    help: 'Count who watches now (/v1/live): the API then follows the log. Off where other API processes do.',
  }),
  definitions: given({
    key: 'PLAYHEAD_DEFINITIONS',
    default: '',
    parse: definitions,
    group: 'Analytics',
    help: 'Other definitions of the numbers, each with tables of its own beside the usual ones (qoe_views_strict), such as strict:minStallMs=500,sustainedStallMs=2000;lax:stallEndsMs=600000.',
  }),

  positionDays: given({
    key: 'PLAYHEAD_POSITION_DAYS',
    default: '90',
    parse: integer(1, 3_650),
    group: 'Retention',
    help: 'How long a position counts after it was reported last. Another value builds the progress tables anew, from the log.',
  }),
  historyDays: given({
    key: 'PLAYHEAD_HISTORY_DAYS',
    default: '365',
    parse: integer(1, 3_650),
    group: 'Retention',
    help: "How long a profile's history of a title is kept after its newest event. Another value builds the progress tables anew.",
  }),
  alertRules: optional({
    key: 'PLAYHEAD_ALERT_RULES',
    parse: filledText,
    group: 'Alerts',
    help: 'File with alert rules (JSON): it adds to the shipped ones, or replaces them (docs/alerts.md).',
  }),
  webhooks: optional({
    key: 'PLAYHEAD_WEBHOOKS',
    parse: webhookList,
    group: 'Alerts',
    secret: 'whole',
    help: 'Where incidents are delivered, as JSON: [{"url": "https://…", "secret": "…"}].',
  }),

  eventsDays: given({
    key: 'PLAYHEAD_EVENTS_DAYS',
    default: '0',
    parse: integer(0, 36_500),
    group: 'Retention',
    help: 'Days that ClickHouse keeps events and CDN requests; 0: for ever. The log keeps what it keeps.',
  }),
  viewsDays: given({
    key: 'PLAYHEAD_VIEWS_DAYS',
    default: '0',
    parse: integer(0, 36_500),
    group: 'Retention',
    help: 'Days that ClickHouse keeps views, viewers and the numbers by the hour; 0: for ever.',
  }),
  minutesDays: given({
    key: 'PLAYHEAD_MINUTES_DAYS',
    default: '0',
    parse: integer(0, 36_500),
    group: 'Retention',
    help: 'Days that ClickHouse keeps the minutes of views and the numbers by the minute; 0: for ever.',
  }),

  verifyKeysPerHour: given({
    key: 'PLAYHEAD_VERIFY_KEYS_PER_HOUR',
    default: '3600',
    parse: integer(0, 10_000_000),
    group: 'Health and metrics',
    help: 'Keys of the log that the consumers fold afresh and compare with the tables, in each projection, all the time; 0: none.',
  }),
  builds: optional({
    key: 'PLAYHEAD_BUILDS',
    parse: oneOf('here', 'apart'),
    group: 'General',
    help: 'Where tables are built beside those that are read: here (in the consumers) or apart (in processes of their own, `playhead builder`). [here; under `playhead up` apart]',
  }),
  healthHost: given({
    key: 'PLAYHEAD_HEALTH_HOST',
    default: '127.0.0.1',
    parse: text,
    group: 'Health and metrics',
    help: 'Address of /healthz, /readyz and /metrics of the roles that are not the API.',
  }),
  consumersHealthPort: given({
    key: 'PLAYHEAD_CONSUMERS_HEALTH_PORT',
    default: '8081',
    parse: port,
    group: 'Health and metrics',
    help: 'Their port in the consumers role; 0 takes a free one.',
  }),
  builderHealthPort: given({
    key: 'PLAYHEAD_BUILDER_HEALTH_PORT',
    default: '0',
    parse: port,
    group: 'Health and metrics',
    help: 'Their port in the builder role; 0 takes a free one, as there may be several.',
  }),
  analyticsHealthPort: given({
    key: 'PLAYHEAD_ANALYTICS_HEALTH_PORT',
    default: '8082',
    parse: port,
    group: 'Health and metrics',
    help: 'Their port in the analytics role; 0 takes a free one.',
  }),
} as const

export type SettingName = keyof typeof SETTINGS
type ValueOf<S> = S extends Optional<infer T> ? T | undefined : S extends Setting<infer T> ? T : never
export type Config = { readonly [N in SettingName]: ValueOf<(typeof SETTINGS)[N]> }

export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[]
/** Where the config file is; read from the environment only. */
export const CONFIG_FILE_KEY = 'PLAYHEAD_CONFIG'
