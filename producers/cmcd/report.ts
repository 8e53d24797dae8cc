/** One record of event mode as an event. Folds use its fields; what has none stands in `keys`, and `raw` has it all. */
import type { Context, Meta, NewEventOf, TitleFacts } from '../../schemas/index.ts'
import {
  bitratesOf,
  booleanOf,
  errorCodesOf,
  intOf,
  largestOf,
  otherKeys,
  positionKeyOf,
  positionOf,
  protocolOf,
  rateOf,
  smallestOf,
  stallOf,
  streamTypeOf,
  textOf,
} from './fields.ts'
import { CMCD_LIMITS } from './limits.ts'
import type { Reading } from './reading.ts'

export interface Whose {
  readonly profileId: string
  readonly sessionId: string
  readonly titleId: string
}

export interface ReportFacts {
  readonly facts?: TitleFacts | null
  readonly context?: NewContext | null
  readonly target?: string | null
}

/** What a writer knows of where it plays; the rest is null. */
export type NewContext = { readonly [K in keyof Context]?: Context[K] | undefined } & Pick<Context, 'streamType'>

export function cmcdReport(
  reading: Reading,
  whose: Whose,
  meta: Meta,
  more: ReportFacts = {},
): NewEventOf<'CmcdReport'> {
  const { values } = reading
  const { facts = null, context = null, target = null } = more
  const { video, audio } = bitratesOf(values)
  // A response is told of when it was complete, under the time of its request: its position is of neither.
  const positionKey = values.get('e') === 'rr' ? undefined : positionKeyOf(values)
  return {
    type: 'CmcdReport',
    meta,
    profileId: whose.profileId,
    sessionId: whose.sessionId,
    titleId: whose.titleId,
    sequence: intOf(values, 'sn'),
    positionMs: positionOf(values, positionKey),
    target,
    version: reading.version,
    event: textOf(values, 'e', CMCD_LIMITS.tokenCharsMax),
    state: textOf(values, 'sta', CMCD_LIMITS.tokenCharsMax),
    playbackRatePermille: rateOf(values),
    videoBitrateKbps: video,
    audioBitrateKbps: audio,
    topBitrateKbps: largestOf(values, 'tb'),
    bufferMs: smallestOf(values, 'bl'),
    starved: booleanOf(values, 'bs'),
    throughputKbps: largestOf(values, 'mtp'),
    startupMs: intOf(values, 'msd'),
    stallMs: stallOf(values),
    liveLatencyMs: intOf(values, 'ltc', -CMCD_LIMITS.int32Max),
    droppedFrames: intOf(values, 'dfa'),
    streamType: streamTypeOf(values),
    protocol: protocolOf(values),
    errorCodes: errorCodesOf(values),
    customName: textOf(values, 'cen', CMCD_LIMITS.tokenCharsMax),
    cdn: textOf(values, 'cdn', CMCD_LIMITS.textCharsMax),
    background: booleanOf(values, 'bg'),
    keys: otherKeys(reading, FIELDS, positionKey),
    raw: reading.raw,
    context,
    facts,
    personal: null,
  }
}

/** `ts` stays among the keys: what the player's clock said, before it was corrected. */
const FIELDS: ReadonlySet<string> = new Set(
  'sid cid sn v e sta pr br tb bl bs mtp msd bsd ltc dfa st sf ec cen cdn bg'.split(' '),
)
