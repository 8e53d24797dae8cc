import { errors, types } from 'cassandra-driver'
import { type StoreError, StoreRefused, StoreUnavailable } from '../errors.ts'

const codes = types.responseErrorCodes

/** Answers that no repetition changes, and what to do about each. */
const refusals: ReadonlyMap<number, string> = new Map([
  [codes.badCredentials!, 'check the user name and the password'],
  [codes.unauthorized!, 'an administrator must GRANT this user what the message names'],
  [codes.syntaxError!, 'this server may be older than Cassandra 4.1'],
  [codes.invalid!, 'the table may have been dropped or changed by hand'],
  [codes.configError!, 'check the replication that is configured for the keyspace'],
  [codes.alreadyExists!, 'another process made it at the same moment; try again'],
])

/** Turns a driver's error into ours. `place` is where the cluster is, never with a password. */
export function storeError(error: unknown, place: string): StoreError {
  const cause = error instanceof Error ? error : new Error(String(error))
  const refused = (why: string, what: string) =>
    new StoreRefused(`Cassandra at ${place} refused: ${why} (${what})`, { cause })
  if (error instanceof errors.ResponseError) {
    const what = refusals.get(error.code)
    return what
      ? refused(error.message, what)
      : new StoreUnavailable(`Cassandra at ${place}: ${error.message}`, { cause })
  }
  if (error instanceof errors.AuthenticationError) return refused(error.message, refusals.get(codes.badCredentials!)!)
  if (error instanceof errors.NoHostAvailableError) {
    const reasons = Object.values(error.innerErrors ?? {}) as unknown[]
    const denied = reasons.find((reason) => isDenied(reason))
    if (denied) return storeError(denied, place)
    const untrusted = reasons.find((reason) => isTlsFailure(reason))
    if (untrusted instanceof Error) return refused(untrusted.message, "check the CA file and the certificate's names")
    const first = reasons[0] instanceof Error ? reasons[0].message : 'no node is known to be up'
    return new StoreUnavailable(`Cassandra at ${place} can't be reached: ${first}`, { cause })
  }
  if (error instanceof errors.ArgumentError || error instanceof TypeError)
    return refused(cause.message, 'check the settings')
  return new StoreUnavailable(`Cassandra at ${place}: ${cause.message}`, { cause })
}

/**
 * The server forgot a statement and it could not be prepared again, for a reason that the driver keeps to itself. With
 * a dropped table this is all there is to see.
 */
export function isUnprepared(error: unknown): boolean {
  const cause = error instanceof StoreUnavailable ? error.cause : undefined
  if (!(cause instanceof errors.NoHostAvailableError)) return false
  const reasons = Object.values(cause.innerErrors ?? {}) as unknown[]
  return reasons.some((reason) => reason instanceof errors.ResponseError && reason.code === codes.unprepared)
}

function isDenied(error: unknown): boolean {
  if (error instanceof errors.AuthenticationError || error instanceof errors.ArgumentError) return true
  return error instanceof errors.ResponseError && refusals.has(error.code)
}

/** Node's codes for a certificate that is not trusted, expired, or of somebody else. */
function isTlsFailure(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH)/.test(code)
}
