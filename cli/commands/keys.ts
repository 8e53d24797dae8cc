/** `playhead keys`: the keys of the API and of the ClickHouse interface. Running roles see a change within seconds. */
import { type Args, UsageError } from '../args.ts'
import { type Command, type Io, JSON_FLAG, table } from '../command.ts'
import { loadConfig } from '../config.ts'
import {
  addKey,
  allKeys,
  DEFAULT_APP,
  DEFAULT_ENVIRONMENT,
  isKind,
  KEY_KINDS,
  type KeyChange,
  type KeyFile,
  mintSecret,
  revokeKey,
  rotateKey,
} from '../key-file.ts'
import { ensureKeyFile, keysPath, readKeyFile, writeKeyFile } from '../keys.ts'

const random = (bytes: Uint8Array): void => {
  globalThis.crypto.getRandomValues(bytes)
}

export const list: Command = {
  name: 'keys list',
  about: 'Names, kinds and scopes. Secrets stay hidden unless --show is given.',
  flags: [JSON_FLAG, { name: 'show', help: 'Print the secrets too.' }],
  run: async (args, io) => {
    const { file } = open(io)
    const keys = allKeys(file).map((key) => ({
      ...key,
      secret: args.has('show') ? key.secret : hint(key.secret),
    }))
    if (args.has('json')) io.out(`${JSON.stringify(keys, undefined, 2)}\n`)
    else {
      const rows = keys.map((k) => [k.name, k.kind, k.app, k.environment, k.createdAt.slice(0, 19), k.secret])
      io.out(`${table(['NAME', 'KIND', 'APP', 'ENVIRONMENT', 'MADE', 'SECRET'], rows)}\n`)
    }
    return 0
  },
}

export const add: Command = {
  name: 'keys add',
  about: `publishable keys go into players: they can only send events. data keys read; admin keys do everything.
An event belongs to the app and the environment of the key that sent it.`,
  positionals: [{ name: 'NAME' }],
  flags: [
    { name: 'kind', value: 'KIND', help: `${KEY_KINDS.join(', ')} [publishable]` },
    { name: 'app', value: 'APP', help: `App that the key belongs to [${DEFAULT_APP}]` },
    { name: 'environment', value: 'NAME', help: `Such as staging [${DEFAULT_ENVIRONMENT}]` },
    JSON_FLAG,
  ],
  examples: ['playhead keys add web --app shop', 'playhead keys add grafana --kind data'],
  run: (args, io) =>
    change(args, io, (file) => {
      const kind = args.value('kind') ?? 'publishable'
      if (!isKind(kind)) throw new UsageError(`--kind: "${kind}" is none of ${KEY_KINDS.join(', ')}.`, 'keys add')
      return addKey(file, {
        name: args.positional('NAME') ?? '',
        kind,
        app: args.value('app') ?? DEFAULT_APP,
        environment: args.value('environment') ?? DEFAULT_ENVIRONMENT,
        secret: mintSecret(kind, random),
        createdAt: new Date().toISOString(),
      })
    }),
}

export const rotate: Command = {
  name: 'keys rotate',
  about:
    'NAME gets a new secret. The old one stays valid as NAME.old until you revoke it: change your players meanwhile.',
  positionals: [{ name: 'NAME' }],
  flags: [JSON_FLAG],
  examples: ['playhead keys rotate publishable', 'playhead keys revoke publishable.old'],
  run: (args, io) =>
    change(args, io, (file) => {
      const name = args.positional('NAME') ?? ''
      const kind = allKeys(file).find((key) => key.name === name)?.kind ?? 'publishable'
      return rotateKey(file, name, mintSecret(kind, random), new Date().toISOString())
    }),
}

export const revoke: Command = {
  name: 'keys revoke',
  about: 'The key is refused from now on (running roles notice within a few seconds).',
  positionals: [{ name: 'NAME' }],
  flags: [JSON_FLAG],
  run: async (args, io) => {
    const { path, file } = open(io)
    const { file: next, key } = revokeKey(file, args.positional('NAME') ?? '')
    writeKeyFile(path, next)
    io.out(args.has('json') ? `${JSON.stringify({ revoked: key.name })}\n` : `revoked ${key.name}\n`)
    return 0
  },
}

async function change(args: Args, io: Io, edit: (file: KeyFile) => KeyChange): Promise<number> {
  const { path, file } = open(io)
  const { file: next, key } = edit(file)
  writeKeyFile(path, next)
  if (args.has('json')) io.out(`${JSON.stringify(key, undefined, 2)}\n`)
  else io.out(`${key.name} (${key.kind}, app ${key.app}, ${key.environment}): ${key.secret}\n`)
  return 0
}

function open(io: Io): { readonly path: string; readonly file: KeyFile } {
  const path = keysPath(loadConfig(io.env).config)
  ensureKeyFile(path, random)
  return { path, file: readKeyFile(path) }
}

/** Enough to recognise a key by, far too little to use it. */
function hint(secret: string): string {
  return `${/^(ph_[a-z]+_)?.{4}/.exec(secret)?.[0] ?? ''}…`
}
