// Written by schemas/tools/generate.ts from the .avsc files beside it; change those and run `npm run schemas:generate`.

/** A string that says what it identifies: any string may become one, but one kind is never taken for another. */
export type Id<Kind extends string> = string & { readonly __id?: Kind }
export type AccountId = Id<'AccountId'>
export type AdId = Id<'AdId'>
export type AppId = Id<'AppId'>
export type ArtworkId = Id<'ArtworkId'>
export type BreakId = Id<'BreakId'>
export type CreativeId = Id<'CreativeId'>
export type DeviceId = Id<'DeviceId'>
export type EventId = Id<'EventId'>
export type ExperimentId = Id<'ExperimentId'>
export type GenerationId = Id<'GenerationId'>
export type GrantId = Id<'GrantId'>
export type IncidentId = Id<'IncidentId'>
export type KeyId = Id<'KeyId'>
export type MasterId = Id<'MasterId'>
export type PlanId = Id<'PlanId'>
export type ProfileId = Id<'ProfileId'>
export type RecommendationId = Id<'RecommendationId'>
export type RenditionId = Id<'RenditionId'>
export type SeriesId = Id<'SeriesId'>
export type SessionId = Id<'SessionId'>
export type SlotId = Id<'SlotId'>
export type TaskId = Id<'TaskId'>
export type TitleId = Id<'TitleId'>
export type VariantId = Id<'VariantId'>
export type ViewId = Id<'ViewId'>
export type WorkerId = Id<'WorkerId'>

/** Where an advertisement break sits in its title. */
export type AdPlacement = 'unknown' | 'preroll' | 'midroll' | 'postroll' | 'overlay'

/** An audio track as it was found. */
export interface AudioTrack {
  /** Index in the file. */
  readonly index: number
  /** Such as aac. */
  readonly codec: string
  /** Count. */
  readonly channels: number | null
  /** Such as 5.1. */
  readonly layout: string | null
  /** Samples per second. */
  readonly sampleRateHz: number | null
  /** Average. */
  readonly bitrateKbps: number | null
  /** BCP 47. */
  readonly language: string | null
  /** EBU R128 integrated loudness, hundredths of LUFS. */
  readonly loudnessCentiLufs: number | null
  /** Length of the track. */
  readonly durationMs: number | null
}

/** What was done to the client's clock to get occurredAt. */
export type Clock = 'unknown' | 'trusted' | 'corrected' | 'clamped' | 'implausible'

/** Where and on what a view plays. Stamped on the first events of a view, null on most others. */
export interface Context {
  /** Such as hls.js. */
  readonly player: string | null
  /** Version of the player. */
  readonly playerVersion: string | null
  /** Version of the SDK that reported. */
  readonly sdkVersion: string | null
  /** Version of the application. */
  readonly appVersion: string | null
  /** Page or screen that holds the player, without its query. */
  readonly pageUrl: string | null
  /** Such as phone, tablet, desktop, tv, console. */
  readonly deviceType: string | null
  /** Such as AppleTV11,1. */
  readonly deviceModel: string | null
  /** Operating system. */
  readonly os: string | null
  /** Its version. */
  readonly osVersion: string | null
  /** Browser. */
  readonly browser: string | null
  /** Its version. */
  readonly browserVersion: string | null
  /** ISO 3166-1 alpha-2, from the address. */
  readonly country: string | null
  /** ISO 3166-2 without the country, from the address. */
  readonly region: string | null
  /** Number of the viewer's network. */
  readonly asn: number | null
  /** Name of the viewer's network. */
  readonly isp: string | null
  /** Content delivery network that serves the media. */
  readonly cdn: string | null
  /** Node of the CDN. */
  readonly edge: string | null
  /** Such as wifi, cellular, ethernet. */
  readonly networkType: string | null
  /** Such as hls, dash, progressive. */
  readonly protocol: string | null
  /** On demand or live. */
  readonly streamType: StreamType
  /** Such as widevine, fairplay, playready, clearkey. */
  readonly drm: string | null
  /** BCP 47, of the application. */
  readonly language: string | null
  /** Pixels of the screen. */
  readonly screenWidth: number | null
  /** Pixels of the screen. */
  readonly screenHeight: number | null
  /** Device pixels of the video element. */
  readonly playerWidth: number | null
  /** Device pixels of the video element. */
  readonly playerHeight: number | null
  /** Played from a download. */
  readonly offline: boolean | null
}

/** Media requests of a view so far. Totals, not differences: a lost report loses nothing. */
export interface Delivery {
  /** Requests finished. */
  readonly requests: number
  /** Requests that failed. */
  readonly failures: number
  /** Bytes received. */
  readonly bytes: number
  /** Sum of the times from first to last byte. */
  readonly transferMs: number
  /** Sum of the times from request to first byte. */
  readonly firstByteMs: number
}

/** The binary that encoded. */
export interface Encoder {
  /** Such as ffmpeg. */
  readonly name: string
  /** As it reports itself. */
  readonly version: string
  /** Hex digest of the binary. */
  readonly sha256: string
}

/** Why a view ended. */
export type EndReason = 'unknown' | 'finished' | 'quit' | 'failed' | 'replaced'

/** When a failure struck: before the first frame or after it. */
export type FailurePhase = 'unknown' | 'startup' | 'playback'

/** One fragment of a rendition; fragments follow each other without gaps. */
export interface Fragment {
  /** Size. */
  readonly bytes: number
  /** Length in the rendition's timescale. */
  readonly durationTicks: number
}

/** What every event starts with. eventId is first, so that it can be read without decoding the rest. */
export interface Meta {
  /** Minted once by the first writer (version 7), or derived from an idempotency key, a file line or a source position (version 8). */
  readonly eventId: EventId
  /** When it happened: the client's clock, corrected, never later than receivedAt. */
  readonly occurredAt: number
  /** When the first writer of the log received it. */
  readonly receivedAt: number
  /** What kind of writer: sdk, cmcd, api, import, simulator, engine. */
  readonly source: string
  /** The application it belongs to. */
  readonly appId: AppId
  /** Such as production or staging. */
  readonly environment: string
  /** How far occurredAt can be trusted. */
  readonly clock: Clock
  /** The client's clock when it sent the batch, if it said so. */
  readonly sentAt: number | null
}

/** Everything that points at a person beyond the profile's id. Either plain, or all of it in sealed and the rest empty. */
export interface Personal {
  /** Account of the profile. */
  readonly accountId: AccountId | null
  /** Device, as the application names it. */
  readonly deviceId: DeviceId | null
  /** User agent, verbatim. */
  readonly userAgent: string | null
  /** Network address; kept only where configured. */
  readonly address: string | null
  /** Up to ten declared custom dimensions. */
  readonly custom: Readonly<Record<string, string>>
  /** The encrypted form of all the above. */
  readonly sealed: Sealed | null
}

/** A stretch of media that was played, in media time. */
export interface PlayedRange {
  /** First position played. */
  readonly fromMs: number
  /** Position reached; never before fromMs. */
  readonly toMs: number
}

/** What the player is doing. */
export type PlayerState = 'unknown' | 'starting' | 'playing' | 'paused' | 'seeking' | 'stalled' | 'ended'

/** How quality was measured. */
export type QualityMetric = 'unknown' | 'vmaf' | 'ssim'

/** One rendition that a ladder asks for. */
export interface Rung {
  /** Name within the plan, such as v1080-h264-6000. */
  readonly renditionId: RenditionId
  /** Video or audio. */
  readonly kind: TrackKind
  /** Such as h264. */
  readonly codec: string
  /** Pixels. */
  readonly width: number | null
  /** Pixels. */
  readonly height: number | null
  /** Target. */
  readonly bitrateKbps: number
  /** Ceiling. */
  readonly maxrateKbps: number | null
  /** Size of the rate control buffer. */
  readonly bufferKbits: number | null
  /** Null for SDR. */
  readonly hdrFormat: string | null
  /** SDR made from an HDR master. */
  readonly toneMapped: boolean
  /** Of audio. */
  readonly channels: number | null
  /** Of audio, BCP 47. */
  readonly language: string | null
  /** Source track. */
  readonly trackIndex: number | null
  /** high or normal. */
  readonly priority: string
}

/** Personal fields, encrypted with their profile's key. Destroying the key erases them in every copy of the log. */
export interface Sealed {
  /** Which key. */
  readonly keyId: KeyId
  /** Nonce of this encryption. */
  readonly nonce: Uint8Array
  /** The encrypted Avro body of a Personal whose sealed is null, with its tag. */
  readonly bytes: Uint8Array
}

/** How bad an incident is. */
export type Severity = 'unknown' | 'info' | 'warning' | 'critical'

/** A file in the media store. */
export interface StoredFile {
  /** Key in the media store. */
  readonly path: string
  /** Size. */
  readonly bytes: number
  /** Hex digest. */
  readonly sha256: string
}

/** On demand, live, or live with a window to seek back in. */
export type StreamType = 'unknown' | 'vod' | 'live' | 'dvr'

/** Who may be enrolled. */
export interface Target {
  /** country, device, plan or tenure. */
  readonly attribute: string
  /** Keep these out, where false keeps only these in. */
  readonly exclude: boolean
  /** Values of the attribute. */
  readonly values: readonly string[]
}

/** What a transcoding task does. */
export type TaskKind = 'unknown' | 'probe' | 'encode' | 'audio' | 'package' | 'thumbnails' | 'verify'

/** A subtitle or caption track as it was found. */
export interface TextTrack {
  /** Index in the file. */
  readonly index: number
  /** Such as webvtt. */
  readonly format: string
  /** BCP 47. */
  readonly language: string | null
  /** Shown even when subtitles are off. */
  readonly forced: boolean
}

/** What the producer knew of the title when it stamped the event, so that folds need no other topic. */
export interface TitleFacts {
  /** Such as movie, episode, clip, live, audio. */
  readonly contentType: string | null
  /** Length of the title. */
  readonly durationMs: number | null
  /** Where the closing credits begin. */
  readonly creditsStartMs: number | null
  /** The series an episode belongs to. */
  readonly seriesId: SeriesId | null
  /** Season of an episode. */
  readonly season: number | null
  /** Number of an episode in its season. */
  readonly episode: number | null
}

/** What a title is. */
export type TitleKind = 'unknown' | 'movie' | 'series' | 'episode' | 'clip' | 'live' | 'audio'

/** Kind of a media track. */
export type TrackKind = 'unknown' | 'video' | 'audio' | 'text' | 'image'

/** What an experiment allocates. */
export type UnitKind = 'unknown' | 'profile' | 'account' | 'device' | 'session'

/** One arm of an experiment. */
export interface Variant {
  /** Name. */
  readonly variantId: VariantId
  /** Share of the population; all arms add up to 10000. */
  readonly weightBasisPoints: number
  /** The arm that others are compared with. */
  readonly control: boolean
  /** JSON that the application gets. */
  readonly config: string
}

/** A video track as it was found. */
export interface VideoTrack {
  /** Such as hevc. */
  readonly codec: string
  /** RFC 6381, from the bitstream. */
  readonly codecString: string | null
  /** Pixels, before rotation. */
  readonly width: number
  /** Pixels, before rotation. */
  readonly height: number
  /** Clockwise. */
  readonly rotationDegrees: number | null
  /** Frames. */
  readonly frameRateNumerator: number | null
  /** Per so many seconds. */
  readonly frameRateDenominator: number | null
  /** Bits per sample. */
  readonly bitDepth: number | null
  /** Average. */
  readonly bitrateKbps: number | null
  /** dolby_vision, hdr10, hdr10plus, hlg; null for none. */
  readonly hdrFormat: string | null
  /** Such as bt2020. */
  readonly colorPrimaries: string | null
  /** Such as smpte2084. */
  readonly colorTransfer: string | null
  /** Such as bt2020nc. */
  readonly colorMatrix: string | null
  /** As x265 takes it. */
  readonly masteringDisplay: string | null
  /** Greatest content light level, cd/m². */
  readonly maxCll: number | null
  /** Greatest frame-average light level, cd/m². */
  readonly maxFall: number | null
  /** First presentation time. */
  readonly startMs: number | null
  /** Length of the track. */
  readonly durationMs: number | null
}

/** Everything about a profile up to here is to be forgotten: every table drops it, and then its key is destroyed. */
export interface ProfileErased {
  readonly type: 'ProfileErased'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Who is to be forgotten. The id itself stays, as a pseudonym. */
  readonly profileId: ProfileId
  /** Why. */
  readonly reason: string | null
  /** Name of the key or person that asked. */
  readonly by: string | null
}

/** No longer watching. */
export interface StreamSlotReleased {
  readonly type: 'StreamSlotReleased'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Whose streams. */
  readonly accountId: AccountId
  /** One stream's claim. */
  readonly slotId: SlotId
  /** Why. */
  readonly reason: string | null
}

/** Still watching. */
export interface StreamSlotRenewed {
  readonly type: 'StreamSlotRenewed'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Whose streams. */
  readonly accountId: AccountId
  /** One stream's claim. */
  readonly slotId: SlotId
  /** Void without renewal for so long, on the log's clock. */
  readonly ttlMs: number
}

/** A player asks for one of the account's streams; the fold decides. */
export interface StreamSlotRequested {
  readonly type: 'StreamSlotRequested'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Whose streams. */
  readonly accountId: AccountId
  /** One stream's claim. */
  readonly slotId: SlotId
  /** Who watches; anonymous viewers get an id of their own. */
  readonly profileId: ProfileId
  /** The player's run, if there is one. */
  readonly sessionId: SessionId | null
  /** To watch what. */
  readonly titleId: TitleId | null
  /** Streams that the account's plan allows, as the producer knew it. */
  readonly streamsMax: number
  /** Void without renewal for so long, on the log's clock. */
  readonly ttlMs: number
  /** What points at a person. */
  readonly personal: Personal | null
}

/** The title goes on. */
export interface AdBreakEnded {
  readonly type: 'AdBreakEnded'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Who watches; anonymous viewers get an id of their own. */
  readonly profileId: ProfileId
  /** One player's run (CMCD sid). */
  readonly sessionId: SessionId
  /** What is watched. */
  readonly titleId: TitleId
  /** Counts the session's events from 0. */
  readonly sequence: number
  /** Where in the title, not in the advertisement. */
  readonly positionMs: number
  /** The break. */
  readonly breakId: BreakId
  /** Where it sits. */
  readonly placement: AdPlacement
  /** Length played. */
  readonly playedMs: number | null
  /** Where and on what; on the first events of a view. */
  readonly context: Context | null
  /** What the producer knew of the title. */
  readonly facts: TitleFacts | null
  /** What points at a person. */
  readonly personal: Personal | null
}

/** The break could not be filled. */
export interface AdBreakFailed {
  readonly type: 'AdBreakFailed'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Who watches; anonymous viewers get an id of their own. */
  readonly profileId: ProfileId
  /** One player's run (CMCD sid). */
  readonly sessionId: SessionId
  /** What is watched. */
  readonly titleId: TitleId
  /** Counts the session's events from 0. */
  readonly sequence: number
  /** Where in the title, not in the advertisement. */
  readonly positionMs: number
  /** The break. */
  readonly breakId: BreakId
  /** Where it sits. */
  readonly placement: AdPlacement
  /** Such as a VAST code. */
  readonly code: string
  /** In words. */
  readonly message: string | null
  /** Where and on what; on the first events of a view. */
  readonly context: Context | null
  /** What the producer knew of the title. */
  readonly facts: TitleFacts | null
  /** What points at a person. */
  readonly personal: Personal | null
}

/** Advertisements interrupt the title; the view goes on. */
export interface AdBreakStarted {
  readonly type: 'AdBreakStarted'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Who watches; anonymous viewers get an id of their own. */
  readonly profileId: ProfileId
  /** One player's run (CMCD sid). */
  readonly sessionId: SessionId
  /** What is watched. */
  readonly titleId: TitleId
  /** Counts the session's events from 0. */
  readonly sequence: number
  /** Where in the title, not in the advertisement. */
  readonly positionMs: number
  /** The break. */
  readonly breakId: BreakId
  /** Where it sits. */
  readonly placement: AdPlacement
  /** How many are planned. */
  readonly ads: number | null
  /** Length planned. */
  readonly plannedMs: number | null
  /** Where and on what; on the first events of a view. */
  readonly context: Context | null
  /** What the producer knew of the title. */
  readonly facts: TitleFacts | null
  /** What points at a person. */
  readonly personal: Personal | null
}

/** An advertisement is over. */
export interface AdEnded {
  readonly type: 'AdEnded'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Who watches; anonymous viewers get an id of their own. */
  readonly profileId: ProfileId
  /** One player's run (CMCD sid). */
  readonly sessionId: SessionId
  /** What is watched. */
  readonly titleId: TitleId
  /** Counts the session's events from 0. */
  readonly sequence: number
  /** Where in the title, not in the advertisement. */
  readonly positionMs: number
  /** The break, if it is in one. */
  readonly breakId: BreakId | null
  /** The advertisement. */
  readonly adId: AdId
  /** Shown for so long. */
  readonly playedMs: number | null
  /** The viewer skipped it. */
  readonly skipped: boolean
  /** The viewer followed it. */
  readonly clicked: boolean
  /** Where and on what; on the first events of a view. */
  readonly context: Context | null
  /** What the producer knew of the title. */
  readonly facts: TitleFacts | null
  /** What points at a person. */
  readonly personal: Personal | null
}

/** An advertisement could not be played. */
export interface AdFailed {
  readonly type: 'AdFailed'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Who watches; anonymous viewers get an id of their own. */
  readonly profileId: ProfileId
  /** One player's run (CMCD sid). */
  readonly sessionId: SessionId
  /** What is watched. */
  readonly titleId: TitleId
  /** Counts the session's events from 0. */
  readonly sequence: number
  /** Where in the title, not in the advertisement. */
  readonly positionMs: number
  /** The break, if it is in one. */
  readonly breakId: BreakId | null
  /** The advertisement. */
  readonly adId: AdId
  /** Such as a VAST code. */
  readonly code: string
  /** In words. */
  readonly message: string | null
  /** Where and on what; on the first events of a view. */
  readonly context: Context | null
  /** What the producer knew of the title. */
  readonly facts: TitleFacts | null
  /** What points at a person. */
  readonly personal: Personal | null
}

/** An advertisement plays. */
export interface AdStarted {
  readonly type: 'AdStarted'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Who watches; anonymous viewers get an id of their own. */
  readonly profileId: ProfileId
  /** One player's run (CMCD sid). */
  readonly sessionId: SessionId
  /** What is watched. */
  readonly titleId: TitleId
  /** Counts the session's events from 0. */
  readonly sequence: number
  /** Where in the title, not in the advertisement. */
  readonly positionMs: number
  /** The break, if it is in one. */
  readonly breakId: BreakId | null
  /** The advertisement. */
  readonly adId: AdId
  /** Which cut of it. */
  readonly creativeId: CreativeId | null
  /** Whose. */
  readonly advertiser: string | null
  /** Place in the break, from 0. */
  readonly rank: number | null
  /** Its length. */
  readonly durationMs: number | null
  /** Of the video being shown. */
  readonly videoBitrateKbps: number | null
  /** Where and on what; on the first events of a view. */
  readonly context: Context | null
  /** What the producer knew of the title. */
  readonly facts: TitleFacts | null
  /** What points at a person. */
  readonly personal: Personal | null
}

/** One CMCD event-mode record (CTA-5004-B). Keys that folds use have fields, the rest stay verbatim. */
export interface CmcdReport {
  readonly type: 'CmcdReport'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Who watches; anonymous viewers get an id of their own. */
  readonly profileId: ProfileId
  /** One player's run (CMCD sid). */
  readonly sessionId: SessionId
  /** The record's cid, or the playback token's title. */
  readonly titleId: TitleId
  /** sn; counts per session and target. */
  readonly sequence: number | null
  /** pt, or a custom key that stands for it. */
  readonly positionMs: number | null
  /** Which of the player's targets this is; sn counts for each. */
  readonly target: string | null
  /** v; absent is 1. */
  readonly version: number
  /** e: ps, e, t, pr and so on. */
  readonly event: string | null
  /** sta: one letter. */
  readonly state: string | null
  /** pr in thousandths. */
  readonly playbackRatePermille: number | null
  /** Of the video being shown. */
  readonly videoBitrateKbps: number | null
  /** Of the audio being heard. */
  readonly audioBitrateKbps: number | null
  /** tb: highest rendition allowed. */
  readonly topBitrateKbps: number | null
  /** Media buffered ahead. */
  readonly bufferMs: number | null
  /** bs: the buffer ran empty since the last report. */
  readonly starved: boolean | null
  /** mtp. */
  readonly throughputKbps: number | null
  /** msd: startup as the player measured it. */
  readonly startupMs: number | null
  /** bsd: stall as the player measured it. */
  readonly stallMs: number | null
  /** ltc. */
  readonly liveLatencyMs: number | null
  /** dfa: dropped so far. */
  readonly droppedFrames: number | null
  /** st. */
  readonly streamType: StreamType
  /** sf, spelled out. */
  readonly protocol: string | null
  /** ec. */
  readonly errorCodes: readonly string[]
  /** cen. */
  readonly customName: string | null
  /** cdn. */
  readonly cdn: string | null
  /** bg: the player is not in view. */
  readonly background: boolean | null
  /** Every other key, verbatim. */
  readonly keys: Readonly<Record<string, string>>
  /** The record as it came, so that a better reader can read it again. */
  readonly raw: string | null
  /** Where and on what. */
  readonly context: Context | null
  /** What the producer knew of the title. */
  readonly facts: TitleFacts | null
  /** What points at a person. */
  readonly personal: Personal | null
}

/** One media request with its CMCD keys, from a CDN's log or a player's rr record. Keyed by session. */
export interface CmcdRequest {
  readonly type: 'CmcdRequest'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** One player's run (CMCD sid). */
  readonly sessionId: SessionId
  /** cid. */
  readonly titleId: TitleId | null
  /** Without its query. */
  readonly url: string | null
  /** HTTP method. */
  readonly method: string | null
  /** HTTP status. */
  readonly status: number | null
  /** Body sent. */
  readonly bytes: number | null
  /** Request to first byte. */
  readonly firstByteMs: number | null
  /** Request to last byte. */
  readonly totalMs: number | null
  /** ot. */
  readonly objectType: string | null
  /** d. */
  readonly objectDurationMs: number | null
  /** br. */
  readonly bitrateKbps: number | null
  /** tb. */
  readonly topBitrateKbps: number | null
  /** bl. */
  readonly bufferMs: number | null
  /** dl. */
  readonly deadlineMs: number | null
  /** mtp. */
  readonly throughputKbps: number | null
  /** bs. */
  readonly starved: boolean | null
  /** su. */
  readonly startup: boolean | null
  /** pr in thousandths. */
  readonly playbackRatePermille: number | null
  /** st. */
  readonly streamType: StreamType
  /** sf, spelled out. */
  readonly protocol: string | null
  /** Who served it. */
  readonly cdn: string | null
  /** Node that served it. */
  readonly edge: string | null
  /** Such as hit, miss. */
  readonly cacheStatus: string | null
  /** Every other key, verbatim. */
  readonly keys: Readonly<Record<string, string>>
  /** The CMCD data as it came, so that a better reader can read it again. */
  readonly raw: string | null
  /** Where and on what. */
  readonly context: Context | null
  /** What points at a person. */
  readonly personal: Personal | null
}

/** An event of the application's own. */
export interface CustomEvent {
  readonly type: 'CustomEvent'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Who watches; anonymous viewers get an id of their own. */
  readonly profileId: ProfileId
  /** What happened. */
  readonly name: string
  /** The player's run, if there is one. */
  readonly sessionId: SessionId | null
  /** On which title, if on one. */
  readonly titleId: TitleId | null
  /** Counts the session's events from 0. */
  readonly sequence: number | null
  /** Where in the media. */
  readonly positionMs: number | null
  /** Words. */
  readonly properties: Readonly<Record<string, string>>
  /** Numbers. */
  readonly numbers: Readonly<Record<string, number>>
  /** Where and on what. */
  readonly context: Context | null
  /** What points at a person. */
  readonly personal: Personal | null
}

/** A parked record was given up. */
export interface DeadLetterDiscarded {
  readonly type: 'DeadLetterDiscarded'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** What it is about, such as incident:start-success or projection:views; one subject's events stay in order. */
  readonly subject: string
  /** Whose dead letter. */
  readonly projection: string
  /** Where the record is. */
  readonly topic: string
  /** Where the record is. */
  readonly partition: number
  /** Where the record is. */
  readonly position: number
  /** Why. */
  readonly reason: string | null
  /** Name of the key or person that asked. */
  readonly by: string | null
}

/** A parked record was sent again as a ReplayedEvent. */
export interface DeadLetterReplayed {
  readonly type: 'DeadLetterReplayed'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** What it is about, such as incident:start-success or projection:views; one subject's events stay in order. */
  readonly subject: string
  /** Whose dead letter. */
  readonly projection: string
  /** Where the record is. */
  readonly topic: string
  /** Where the record is. */
  readonly partition: number
  /** Where the record is. */
  readonly position: number
  /** Event id of the record that holds it. */
  readonly replayEventId: EventId
  /** Why. */
  readonly reason: string | null
  /** Name of the key or person that asked. */
  readonly by: string | null
}

/** Readers of a projection read this generation from now on. */
export interface GenerationPromoted {
  readonly type: 'GenerationPromoted'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** What it is about, such as incident:start-success or projection:views; one subject's events stay in order. */
  readonly subject: string
  /** Which projection. */
  readonly projection: string
  /** The new generation. */
  readonly generationId: GenerationId
  /** The one before. */
  readonly previousGenerationId: GenerationId | null
  /** Digest that was compared. */
  readonly digest: string | null
  /** Why. */
  readonly reason: string | null
  /** Name of the key or person that asked. */
  readonly by: string | null
}

/** A generation of a projection is to be built from the log, beside the one that is read. */
export interface GenerationRequested {
  readonly type: 'GenerationRequested'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** What it is about, such as incident:start-success or projection:views; one subject's events stay in order. */
  readonly subject: string
  /** Which projection. */
  readonly projection: string
  /** The new generation. */
  readonly generationId: GenerationId
  /** Which fold. */
  readonly foldVersion: number
  /** Those that differ from the fold version's own. */
  readonly parameters: Readonly<Record<string, number>>
  /** Tells it from others of the same fold and parameters; null: the first of them. */
  readonly build: string | null
  /** Where on the log's clock it ends; null: it follows the log. */
  readonly until: number | null
  /** At most so fast, in each process. */
  readonly recordsPerSecond: number | null
  /** Why. */
  readonly reason: string | null
  /** Name of the key or person that asked. */
  readonly by: string | null
}

/** A licence or playback grant was given, for the audit. */
export interface GrantIssued {
  readonly type: 'GrantIssued'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** What it is about, such as incident:start-success or projection:views; one subject's events stay in order. */
  readonly subject: string
  /** The grant. */
  readonly grantId: GrantId
  /** Such as licence, renewal, playback. */
  readonly kind: string
  /** Who watches; anonymous viewers get an id of their own. */
  readonly profileId: ProfileId
  /** What is watched. */
  readonly titleId: TitleId
  /** The player's run, if there is one. */
  readonly sessionId: SessionId | null
  /** From. */
  readonly grantedAt: number
  /** Until. */
  readonly expiresAt: number
  /** HDCP is demanded. */
  readonly hdcp: boolean | null
  /** What points at a person. */
  readonly personal: Personal | null
}

/** A rule found something wrong. */
export interface IncidentOpened {
  readonly type: 'IncidentOpened'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** What it is about, such as incident:start-success or projection:views; one subject's events stay in order. */
  readonly subject: string
  /** The incident. */
  readonly incidentId: IncidentId
  /** Which rule. */
  readonly rule: string
  /** How bad. */
  readonly severity: Severity
  /** In words. */
  readonly summary: string
  /** What was seen. */
  readonly observed: number | null
  /** What is allowed. */
  readonly threshold: number | null
  /** Where. */
  readonly dimensions: Readonly<Record<string, string>>
  /** Since when. */
  readonly since: number | null
}

/** It is over. */
export interface IncidentResolved {
  readonly type: 'IncidentResolved'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** What it is about, such as incident:start-success or projection:views; one subject's events stay in order. */
  readonly subject: string
  /** The incident. */
  readonly incidentId: IncidentId
  /** Which rule. */
  readonly rule: string
  /** What is seen now. */
  readonly observed: number | null
  /** Why. */
  readonly reason: string | null
  /** Name of the key or person that asked. */
  readonly by: string | null
}

/** An operator did something that no other event says. */
export interface OperatorActed {
  readonly type: 'OperatorActed'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** What it is about, such as incident:start-success or projection:views; one subject's events stay in order. */
  readonly subject: string
  /** Such as throttle or repair. */
  readonly action: string
  /** Its parameters. */
  readonly details: Readonly<Record<string, string>>
  /** Why. */
  readonly reason: string | null
  /** Name of the key or person that asked. */
  readonly by: string | null
}

/** A record that was parked, sent again to its own topic with its own key and a new event id. Folds look inside. */
export interface ReplayedEvent {
  readonly type: 'ReplayedEvent'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Key of the original. */
  readonly key: string
  /** Topic of the original, and of this. */
  readonly topic: string
  /** Where the original is. */
  readonly partition: number
  /** Where the original is. */
  readonly position: number
  /** For whom it is replayed; null is all. */
  readonly projection: string | null
  /** The original's bytes, framed as they were. */
  readonly value: Uint8Array
  /** Name of the key or person that asked. */
  readonly by: string | null
}

/** An experiment's definition, whole: the last one before the start counts. */
export interface ExperimentDefined {
  readonly type: 'ExperimentDefined'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** The experiment. */
  readonly experimentId: ExperimentId
  /** For people. */
  readonly name: string
  /** What is expected. */
  readonly hypothesis: string | null
  /** What is allocated. */
  readonly unitKind: UnitKind
  /** Share of the units enrolled; 10000 is all. */
  readonly allocationBasisPoints: number
  /** Arms. */
  readonly variants: readonly Variant[]
  /** Who may be enrolled. */
  readonly targets: readonly Target[]
  /** What is compared. */
  readonly metrics: readonly string[]
  /** What decides. */
  readonly primaryMetric: string | null
  /** Not before. */
  readonly startsAt: number | null
  /** Not after. */
  readonly endsAt: number | null
  /** Of the statistics. */
  readonly settings: Readonly<Record<string, string>>
  /** Name of the key or person that asked. */
  readonly by: string | null
}

/** A unit met its variant. */
export interface ExperimentExposed {
  readonly type: 'ExperimentExposed'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** The experiment. */
  readonly experimentId: ExperimentId
  /** The unit that was allocated. */
  readonly unit: string
  /** What kind of unit. */
  readonly unitKind: UnitKind
  /** What it got. */
  readonly variantId: VariantId
  /** Where its hash fell. */
  readonly bucket: number | null
  /** Who, if it is known. */
  readonly profileId: ProfileId | null
  /** The player's run, if there is one. */
  readonly sessionId: SessionId | null
  /** On which title, if on one. */
  readonly titleId: TitleId | null
  /** What points at a person. */
  readonly personal: Personal | null
}

/** No more units are enrolled for now. */
export interface ExperimentPaused {
  readonly type: 'ExperimentPaused'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** The experiment. */
  readonly experimentId: ExperimentId
  /** Why. */
  readonly reason: string | null
  /** Name of the key or person that asked. */
  readonly by: string | null
}

/** Enrolment begins, or goes on after a pause. */
export interface ExperimentStarted {
  readonly type: 'ExperimentStarted'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** The experiment. */
  readonly experimentId: ExperimentId
  /** A new share; null leaves it. */
  readonly allocationBasisPoints: number | null
  /** Name of the key or person that asked. */
  readonly by: string | null
}

/** The experiment is over. */
export interface ExperimentStopped {
  readonly type: 'ExperimentStopped'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** The experiment. */
  readonly experimentId: ExperimentId
  /** The variant that everyone gets from now on. */
  readonly winner: string | null
  /** Why. */
  readonly reason: string | null
  /** Name of the key or person that asked. */
  readonly by: string | null
}

/** A view as another product measured it. It is kept beside our own views and never mixed with them. */
export interface ViewImported {
  readonly type: 'ViewImported'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Who watched, as the vendor was told; where it was not told, the vendor's own id of the viewer. */
  readonly profileId: ProfileId
  /** Whose numbers these are, such as mux. */
  readonly vendor: string
  /** The vendor's id of the view. */
  readonly viewId: ViewId
  /** The vendor's id of the session. */
  readonly sessionId: SessionId | null
  /** What was watched. */
  readonly titleId: TitleId | null
  /** Its name, as the vendor knows it. */
  readonly titleName: string | null
  /** When the view began, by the vendor. */
  readonly startedAt: number
  /** When it ended, by the vendor. */
  readonly endedAt: number | null
  /** Where and on what. */
  readonly context: Context | null
  /** What the vendor knew of the title. */
  readonly facts: TitleFacts | null
  /** Code of the failure that ended it. */
  readonly errorCode: string | null
  /** The viewer left before the first frame. */
  readonly exitedBeforeStart: boolean | null
  /** It failed before the first frame. */
  readonly startupFailed: boolean | null
  /** It failed after the first frame, or the vendor does not say when. */
  readonly playbackFailed: boolean | null
  /** It was refused for a reason that is no failure of playback. */
  readonly businessFailed: boolean | null
  /** It has no end of its own. */
  readonly dropped: boolean | null
  /** Intent to play to the first frame, an ad's counted. */
  readonly startupMs: number | null
  /** Intent to play to the first frame of the content. */
  readonly contentStartupMs: number | null
  /** Making of the player to its readiness. */
  readonly playerStartupMs: number | null
  /** Opening of the page to the making of the player. */
  readonly pageStartupMs: number | null
  /** Intent to play to the first frame of an ad before the content. */
  readonly prerollStartupMs: number | null
  /** Wall time of startup, playing and rebuffering, of content and ads. */
  readonly watchMs: number | null
  /** The same of the content alone. */
  readonly contentWatchMs: number | null
  /** Wall time in which the picture moved. */
  readonly playingMs: number | null
  /** Times that it rebuffered, by the vendor's definition. */
  readonly stalls: number | null
  /** How long it rebuffered. */
  readonly stalledMs: number | null
  /** Seeks. */
  readonly seeks: number | null
  /** Waiting after seeks. */
  readonly seekingMs: number | null
  /** Media time over which scaling was measured. */
  readonly mediaMs: number | null
  /** Upscaling in thousandths of the source, times the media time it lasted. */
  readonly upscalePermilleMs: number | null
  /** Downscaling in thousandths of the source, times the media time it lasted. */
  readonly downscalePermilleMs: number | null
  /** The greatest upscaling. */
  readonly upscaleMaxPermille: number | null
  /** The furthest position of the playhead. */
  readonly furthestMs: number | null
  /** Average bitrate by time, bits per second. */
  readonly averageBps: number | null
  /** Frames that were dropped. */
  readonly droppedFrames: number | null
  /** Behind the live edge, on average. */
  readonly liveLatencyMs: number | null
  /** Ad breaks that began. */
  readonly adBreaks: number | null
  /** Ads that began. */
  readonly ads: number | null
  /** Wall time in ads. */
  readonly adMs: number | null
  /** Ads that failed. */
  readonly adErrors: number | null
  /** The vendor's score of the view, 0 to 100, in thousandths of a point. */
  readonly scoreMilli: number | null
  /** Its score of the startup, in thousandths of a point. */
  readonly startupScoreMilli: number | null
  /** Its score of the smoothness, in thousandths of a point. */
  readonly smoothnessScoreMilli: number | null
  /** Its score of the picture, in thousandths of a point. */
  readonly qualityScoreMilli: number | null
  /** Its score of the success, in thousandths of a point. */
  readonly successScoreMilli: number | null
}

/** A title was shown to a viewer somewhere, or chosen there. */
export interface Impression {
  readonly type: 'Impression'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Who watches; anonymous viewers get an id of their own. */
  readonly profileId: ProfileId
  /** What was shown. */
  readonly titleId: TitleId
  /** The player's run, if there is one. */
  readonly sessionId: SessionId | null
  /** Such as home, search, up-next. */
  readonly surface: string
  /** Which row. */
  readonly row: string | null
  /** Place in the row, from 0. */
  readonly rank: number | null
  /** Which picture. */
  readonly artworkId: ArtworkId | null
  /** Which answer of the recommender. */
  readonly recommendationId: RecommendationId | null
  /** In view for so long. */
  readonly shownMs: number | null
  /** The viewer picked it. */
  readonly chosen: boolean
  /** Where and on what. */
  readonly context: Context | null
  /** What points at a person. */
  readonly personal: Personal | null
}

/** Which renditions will be made of a master, and how it is cut. */
export interface LadderPlanned {
  readonly type: 'LadderPlanned'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** The title. */
  readonly titleId: TitleId
  /** The master. */
  readonly masterId: MasterId
  /** The plan. */
  readonly planId: PlanId
  /** Renditions. */
  readonly rungs: readonly Rung[]
  /** Length of a chunk; null is one piece. */
  readonly chunkMs: number | null
  /** Length of a fragment. */
  readonly fragmentMs: number
  /** Ticks per second. */
  readonly timescale: number
  /** Capabilities that a worker must have. */
  readonly needs: readonly string[]
  /** The binary that must be used. */
  readonly encoder: Encoder | null
}

/** What is in the master. */
export interface MasterProbed {
  readonly type: 'MasterProbed'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** The title. */
  readonly titleId: TitleId
  /** The master. */
  readonly masterId: MasterId
  /** Such as mov. */
  readonly container: string | null
  /** Size. */
  readonly bytes: number | null
  /** Length. */
  readonly durationMs: number | null
  /** Video tracks. */
  readonly video: readonly VideoTrack[]
  /** Audio tracks. */
  readonly audio: readonly AudioTrack[]
  /** Text tracks. */
  readonly text: readonly TextTrack[]
  /** What probed, with its version. */
  readonly tool: string | null
}

/** The master can't be used. */
export interface MasterRejected {
  readonly type: 'MasterRejected'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** The title. */
  readonly titleId: TitleId
  /** The master. */
  readonly masterId: MasterId
  /** Stable code. */
  readonly code: string
  /** In words, each with its remedy. */
  readonly reasons: readonly string[]
}

/** A master file was handed in, with the settings that its transcoding must use, also on a retry. */
export interface MasterSubmitted {
  readonly type: 'MasterSubmitted'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** The title. */
  readonly titleId: TitleId
  /** The master. */
  readonly masterId: MasterId
  /** Where the file is. */
  readonly uri: string
  /** Size. */
  readonly bytes: number | null
  /** Hex digest. */
  readonly sha256: string | null
  /** strict or any. */
  readonly policy: string
  /** high or normal. */
  readonly priority: string
  /** Settings as submitted. */
  readonly settings: Readonly<Record<string, string>>
  /** Name of the key or person that asked. */
  readonly by: string | null
}

/** A rendition was compared with its master. */
export interface QualityMeasured {
  readonly type: 'QualityMeasured'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** The title. */
  readonly titleId: TitleId
  /** The plan. */
  readonly planId: PlanId
  /** The rendition. */
  readonly renditionId: RenditionId
  /** How. */
  readonly metric: QualityMetric
  /** Mean score, in thousandths. */
  readonly meanMilli: number
  /** Fifth percentile, in thousandths. */
  readonly lowMilli: number | null
  /** Worst frame, in thousandths. */
  readonly minMilli: number | null
  /** Every so many frames. */
  readonly sampledEvery: number
  /** What was asked for. */
  readonly thresholdMilli: number | null
  /** Good enough. */
  readonly passed: boolean
}

/** A rendition is complete, with all that a manifest needs. */
export interface RenditionReady {
  readonly type: 'RenditionReady'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** The title. */
  readonly titleId: TitleId
  /** The plan. */
  readonly planId: PlanId
  /** The rendition. */
  readonly renditionId: RenditionId
  /** Video, audio or text. */
  readonly kind: TrackKind
  /** RFC 6381, from the bitstream. */
  readonly codecString: string
  /** Pixels. */
  readonly width: number | null
  /** Pixels. */
  readonly height: number | null
  /** Thousandths of a frame per second. */
  readonly frameRateMilli: number | null
  /** Null for SDR. */
  readonly hdrFormat: string | null
  /** Of audio. */
  readonly channels: number | null
  /** Of audio. */
  readonly sampleRateHz: number | null
  /** BCP 47. */
  readonly language: string | null
  /** Bits per second over the whole. */
  readonly averageBitrateBps: number
  /** Bits per second of the worst segment. */
  readonly peakBitrateBps: number
  /** The file. */
  readonly file: StoredFile
  /** Size of the initialisation segment at its start. */
  readonly initBytes: number
  /** Ticks per second. */
  readonly timescale: number
  /** In order, after the initialisation segment. */
  readonly fragments: readonly Fragment[]
}

/** A worker asks for a task; the fold grants it to the first that may have it. */
export interface TaskClaimed {
  readonly type: 'TaskClaimed'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** The title. */
  readonly titleId: TitleId
  /** The task; the same inputs give the same id. */
  readonly taskId: TaskId
  /** The worker. */
  readonly workerId: WorkerId
  /** Counts from 1. */
  readonly attempt: number
  /** Without progress for so long, the claim is void. */
  readonly leaseMs: number
}

/** A task is done; its files are in the media store. */
export interface TaskCompleted {
  readonly type: 'TaskCompleted'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** The title. */
  readonly titleId: TitleId
  /** The task; the same inputs give the same id. */
  readonly taskId: TaskId
  /** The worker. */
  readonly workerId: WorkerId
  /** Counts from 1. */
  readonly attempt: number
  /** Files. */
  readonly outputs: readonly StoredFile[]
  /** The binary that was used. */
  readonly encoder: Encoder | null
  /** Time taken. */
  readonly wallMs: number | null
  /** Processor time. */
  readonly cpuMs: number | null
}

/** A task failed. */
export interface TaskFailed {
  readonly type: 'TaskFailed'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** The title. */
  readonly titleId: TitleId
  /** The task; the same inputs give the same id. */
  readonly taskId: TaskId
  /** The worker. */
  readonly workerId: WorkerId
  /** Counts from 1. */
  readonly attempt: number
  /** Stable code. */
  readonly code: string
  /** In words. */
  readonly message: string | null
  /** Another attempt may do better. */
  readonly retryable: boolean
}

/** A worker is at work. */
export interface TaskProgressed {
  readonly type: 'TaskProgressed'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** The title. */
  readonly titleId: TitleId
  /** The task; the same inputs give the same id. */
  readonly taskId: TaskId
  /** The worker. */
  readonly workerId: WorkerId
  /** Counts from 1. */
  readonly attempt: number
  /** Share done. */
  readonly donePermille: number
  /** Media time per wall time. */
  readonly speedPermille: number | null
}

/** There is work. */
export interface TaskQueued {
  readonly type: 'TaskQueued'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** The title. */
  readonly titleId: TitleId
  /** The plan. */
  readonly planId: PlanId
  /** The task; the same inputs give the same id. */
  readonly taskId: TaskId
  /** What to do. */
  readonly kind: TaskKind
  /** What it makes. */
  readonly renditionIds: readonly string[]
  /** Which chunk. */
  readonly chunk: number | null
  /** Start of its range. */
  readonly fromMs: number | null
  /** End of its range. */
  readonly toMs: number | null
  /** Tasks that must be done first. */
  readonly dependsOn: readonly string[]
  /** Capabilities that a worker must have. */
  readonly needs: readonly string[]
  /** Arguments of the encoder, complete. */
  readonly arguments: readonly string[]
  /** high or normal. */
  readonly priority: string
}

/** All renditions of a plan are ready to be served. */
export interface TitlePackaged {
  readonly type: 'TitlePackaged'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** The title. */
  readonly titleId: TitleId
  /** The plan. */
  readonly planId: PlanId
  /** What is served. */
  readonly renditionIds: readonly string[]
  /** Sprites of thumbnails. */
  readonly thumbnails: readonly StoredFile[]
  /** Between two thumbnails. */
  readonly thumbnailEveryMs: number | null
  /** Length as packaged. */
  readonly durationMs: number | null
}

/** Someone asks to show a packaged title to viewers; the fold decides. */
export interface TitlePublished {
  readonly type: 'TitlePublished'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** The title. */
  readonly titleId: TitleId
  /** The plan. */
  readonly planId: PlanId
  /** Name of the key or person that asked. */
  readonly by: string | null
}

/** A title's catalogue record, whole: the last one counts. */
export interface TitleRegistered {
  readonly type: 'TitleRegistered'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** The title. */
  readonly titleId: TitleId
  /** What it is. */
  readonly kind: TitleKind
  /** Title as shown. */
  readonly name: string
  /** Synopsis. */
  readonly description: string | null
  /** Length. */
  readonly durationMs: number | null
  /** Where the closing credits begin. */
  readonly creditsStartMs: number | null
  /** Series of an episode. */
  readonly seriesId: SeriesId | null
  /** Season. */
  readonly season: number | null
  /** Number in its season. */
  readonly episode: number | null
  /** Year. */
  readonly releaseYear: number | null
  /** Such as PG-13. */
  readonly rating: string | null
  /** Genres. */
  readonly genres: readonly string[]
  /** Names. */
  readonly cast: readonly string[]
  /** Names. */
  readonly directors: readonly string[]
  /** ISO 3166-1; empty is everywhere. */
  readonly regionsAvailable: readonly string[]
  /** ISO 3166-1. */
  readonly regionsBlocked: readonly string[]
  /** BCP 47. */
  readonly audioLanguages: readonly string[]
  /** BCP 47. */
  readonly textLanguages: readonly string[]
  /** URLs by role: poster, thumbnail, hero, logo. */
  readonly images: Readonly<Record<string, string>>
  /** Ids in other systems, by system. */
  readonly externalIds: Readonly<Record<string, string>>
  /** URLs of manifests made elsewhere, by protocol: hls, dash. */
  readonly manifests: Readonly<Record<string, string>>
  /** Name of the key or person that asked. */
  readonly by: string | null
}

/** The title is no longer shown. */
export interface TitleWithdrawn {
  readonly type: 'TitleWithdrawn'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** The title. */
  readonly titleId: TitleId
  /** Why. */
  readonly reason: string | null
  /** Name of the key or person that asked. */
  readonly by: string | null
}

/** The first frame was shown: startup is over. */
export interface FirstFrame {
  readonly type: 'FirstFrame'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Who watches; anonymous viewers get an id of their own. */
  readonly profileId: ProfileId
  /** One player's run (CMCD sid). */
  readonly sessionId: SessionId
  /** What is watched. */
  readonly titleId: TitleId
  /** Counts the session's events from 0. */
  readonly sequence: number
  /** Where in the media. */
  readonly positionMs: number
  /** From request to first frame, as the player measured it. */
  readonly startupMs: number | null
  /** Of the video being shown. */
  readonly videoBitrateKbps: number | null
  /** Of the audio being heard. */
  readonly audioBitrateKbps: number | null
  /** Pixels of the rendition. */
  readonly width: number | null
  /** Pixels of the rendition. */
  readonly height: number | null
  /** Where and on what; on the first events of a view. */
  readonly context: Context | null
  /** What the producer knew of the title. */
  readonly facts: TitleFacts | null
  /** What points at a person. */
  readonly personal: Personal | null
}

/** The player's state at intervals, and at once when the speed or the player's size changes. */
export interface Heartbeat {
  readonly type: 'Heartbeat'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Who watches; anonymous viewers get an id of their own. */
  readonly profileId: ProfileId
  /** One player's run (CMCD sid). */
  readonly sessionId: SessionId
  /** What is watched. */
  readonly titleId: TitleId
  /** Counts the session's events from 0. */
  readonly sequence: number
  /** Where in the media. */
  readonly positionMs: number
  /** Length of the title, as the writer knows it. */
  readonly durationMs: number | null
  /** Media played since the last event that said so. */
  readonly played: readonly PlayedRange[]
  /** What the player is doing. */
  readonly state: PlayerState
  /** Speed of playback; 1000 is normal. */
  readonly playbackRatePermille: number
  /** Of the video being shown. */
  readonly videoBitrateKbps: number | null
  /** Of the audio being heard. */
  readonly audioBitrateKbps: number | null
  /** Pixels of the rendition. */
  readonly width: number | null
  /** Pixels of the rendition. */
  readonly height: number | null
  /** Device pixels of the video element. */
  readonly playerWidth: number | null
  /** Device pixels of the video element. */
  readonly playerHeight: number | null
  /** Media buffered ahead. */
  readonly bufferMs: number | null
  /** Frames dropped in this view so far. */
  readonly droppedFrames: number | null
  /** The player's estimate. */
  readonly throughputKbps: number | null
  /** Behind the live edge, by programme date-time. */
  readonly liveLatencyMs: number | null
  /** Stalled in this view so far, as the player measured it; checks the events. */
  readonly stallMs: number | null
  /** The CDN, where it is not the context's. */
  readonly cdn: string | null
  /** Media requests so far. */
  readonly delivery: Delivery | null
  /** Where and on what; on the first events of a view. */
  readonly context: Context | null
  /** What the producer knew of the title. */
  readonly facts: TitleFacts | null
  /** What points at a person. */
  readonly personal: Personal | null
}

/** The view ended, and said so. */
export interface PlaybackEnded {
  readonly type: 'PlaybackEnded'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Who watches; anonymous viewers get an id of their own. */
  readonly profileId: ProfileId
  /** One player's run (CMCD sid). */
  readonly sessionId: SessionId
  /** What is watched. */
  readonly titleId: TitleId
  /** Counts the session's events from 0. */
  readonly sequence: number
  /** Where in the media. */
  readonly positionMs: number
  /** Length of the title, as the writer knows it. */
  readonly durationMs: number | null
  /** Media played since the last event that said so. */
  readonly played: readonly PlayedRange[]
  /** Why. */
  readonly reason: EndReason
  /** Where and on what; on the first events of a view. */
  readonly context: Context | null
  /** What the producer knew of the title. */
  readonly facts: TitleFacts | null
  /** What points at a person. */
  readonly personal: Personal | null
}

/** Something failed; fatal if playback can't go on. */
export interface PlaybackFailed {
  readonly type: 'PlaybackFailed'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Who watches; anonymous viewers get an id of their own. */
  readonly profileId: ProfileId
  /** One player's run (CMCD sid). */
  readonly sessionId: SessionId
  /** What is watched. */
  readonly titleId: TitleId
  /** Counts the session's events from 0. */
  readonly sequence: number
  /** Where in the media. */
  readonly positionMs: number
  /** Media played since the last event that said so. */
  readonly played: readonly PlayedRange[]
  /** The player's or the service's code. */
  readonly code: string
  /** Playback can't go on. */
  readonly fatal: boolean
  /** Before the first frame or after it. */
  readonly phase: FailurePhase
  /** A rule, not a defect: region, entitlement, streams at once. Counted apart. */
  readonly business: boolean
  /** For people. */
  readonly message: string | null
  /** The CDN, where it is not the context's. */
  readonly cdn: string | null
  /** Where and on what; on the first events of a view. */
  readonly context: Context | null
  /** What the producer knew of the title. */
  readonly facts: TitleFacts | null
  /** What points at a person. */
  readonly personal: Personal | null
}

/** Playback was paused. */
export interface PlaybackPaused {
  readonly type: 'PlaybackPaused'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Who watches; anonymous viewers get an id of their own. */
  readonly profileId: ProfileId
  /** One player's run (CMCD sid). */
  readonly sessionId: SessionId
  /** What is watched. */
  readonly titleId: TitleId
  /** Counts the session's events from 0. */
  readonly sequence: number
  /** Where in the media. */
  readonly positionMs: number
  /** Media played since the last event that said so. */
  readonly played: readonly PlayedRange[]
  /** Such as user, background, ad, system. */
  readonly reason: string | null
  /** Where and on what; on the first events of a view. */
  readonly context: Context | null
  /** What the producer knew of the title. */
  readonly facts: TitleFacts | null
  /** What points at a person. */
  readonly personal: Personal | null
}

/** Playback goes on after a pause. */
export interface PlaybackResumed {
  readonly type: 'PlaybackResumed'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Who watches; anonymous viewers get an id of their own. */
  readonly profileId: ProfileId
  /** One player's run (CMCD sid). */
  readonly sessionId: SessionId
  /** What is watched. */
  readonly titleId: TitleId
  /** Counts the session's events from 0. */
  readonly sequence: number
  /** Where in the media. */
  readonly positionMs: number
  /** Where and on what; on the first events of a view. */
  readonly context: Context | null
  /** What the producer knew of the title. */
  readonly facts: TitleFacts | null
  /** What points at a person. */
  readonly personal: Personal | null
}

/** Playback was asked for (CTA-2066 playbackRequest). Nothing is on the screen yet. */
export interface PlaybackStarted {
  readonly type: 'PlaybackStarted'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Who watches; anonymous viewers get an id of their own. */
  readonly profileId: ProfileId
  /** One player's run (CMCD sid). */
  readonly sessionId: SessionId
  /** What is watched. */
  readonly titleId: TitleId
  /** Counts the session's events from 0. */
  readonly sequence: number
  /** Where playback will begin. */
  readonly positionMs: number
  /** What asked: user, autoplay, next, resume. */
  readonly trigger: string | null
  /** From navigation to the player's creation. */
  readonly pageStartupMs: number | null
  /** From the player's creation to this request. */
  readonly playerStartupMs: number | null
  /** Where and on what; on the first events of a view. */
  readonly context: Context | null
  /** What the producer knew of the title. */
  readonly facts: TitleFacts | null
  /** What points at a person. */
  readonly personal: Personal | null
}

/** Another rendition is shown, or another CDN serves it. */
export interface RenditionChanged {
  readonly type: 'RenditionChanged'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Who watches; anonymous viewers get an id of their own. */
  readonly profileId: ProfileId
  /** One player's run (CMCD sid). */
  readonly sessionId: SessionId
  /** What is watched. */
  readonly titleId: TitleId
  /** Counts the session's events from 0. */
  readonly sequence: number
  /** Where in the media. */
  readonly positionMs: number
  /** The player's name for it. */
  readonly renditionId: RenditionId | null
  /** Of the video being shown. */
  readonly videoBitrateKbps: number | null
  /** Of the audio being heard. */
  readonly audioBitrateKbps: number | null
  /** Pixels of the rendition. */
  readonly width: number | null
  /** Pixels of the rendition. */
  readonly height: number | null
  /** RFC 6381. */
  readonly videoCodec: string | null
  /** RFC 6381. */
  readonly audioCodec: string | null
  /** Thousandths of a frame per second. */
  readonly frameRateMilli: number | null
  /** Null for SDR. */
  readonly hdrFormat: string | null
  /** BCP 47. */
  readonly audioLanguage: string | null
  /** BCP 47; null when off. */
  readonly textLanguage: string | null
  /** Such as initial, abr, user, cdn. */
  readonly reason: string | null
  /** Device pixels of the video element. */
  readonly playerWidth: number | null
  /** Device pixels of the video element. */
  readonly playerHeight: number | null
  /** The CDN, where it is not the context's. */
  readonly cdn: string | null
  /** Where and on what; on the first events of a view. */
  readonly context: Context | null
  /** What the producer knew of the title. */
  readonly facts: TitleFacts | null
  /** What points at a person. */
  readonly personal: Personal | null
}

/** The player is ready at the position sought. */
export interface SeekEnded {
  readonly type: 'SeekEnded'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Who watches; anonymous viewers get an id of their own. */
  readonly profileId: ProfileId
  /** One player's run (CMCD sid). */
  readonly sessionId: SessionId
  /** What is watched. */
  readonly titleId: TitleId
  /** Counts the session's events from 0. */
  readonly sequence: number
  /** Where the seek ended. */
  readonly positionMs: number
  /** From seeking to ready, as the player measured it. */
  readonly seekMs: number | null
  /** Where and on what; on the first events of a view. */
  readonly context: Context | null
  /** What the producer knew of the title. */
  readonly facts: TitleFacts | null
  /** What points at a person. */
  readonly personal: Personal | null
}

/** The viewer seeks. */
export interface SeekStarted {
  readonly type: 'SeekStarted'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Who watches; anonymous viewers get an id of their own. */
  readonly profileId: ProfileId
  /** One player's run (CMCD sid). */
  readonly sessionId: SessionId
  /** What is watched. */
  readonly titleId: TitleId
  /** Counts the session's events from 0. */
  readonly sequence: number
  /** Where the seek began. */
  readonly positionMs: number
  /** Media played since the last event that said so. */
  readonly played: readonly PlayedRange[]
  /** Where to. */
  readonly toMs: number | null
  /** Where and on what; on the first events of a view. */
  readonly context: Context | null
  /** What the producer knew of the title. */
  readonly facts: TitleFacts | null
  /** What points at a person. */
  readonly personal: Personal | null
}

/** Playback goes on after a stall. */
export interface StallEnded {
  readonly type: 'StallEnded'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Who watches; anonymous viewers get an id of their own. */
  readonly profileId: ProfileId
  /** One player's run (CMCD sid). */
  readonly sessionId: SessionId
  /** What is watched. */
  readonly titleId: TitleId
  /** Counts the session's events from 0. */
  readonly sequence: number
  /** Where in the media. */
  readonly positionMs: number
  /** Length of this stall, as the player measured it. */
  readonly stallMs: number | null
  /** Where and on what; on the first events of a view. */
  readonly context: Context | null
  /** What the producer knew of the title. */
  readonly facts: TitleFacts | null
  /** What points at a person. */
  readonly personal: Personal | null
}

/** Playback stopped for want of data (rebuffering); neither startup nor a seek. */
export interface StallStarted {
  readonly type: 'StallStarted'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Who watches; anonymous viewers get an id of their own. */
  readonly profileId: ProfileId
  /** One player's run (CMCD sid). */
  readonly sessionId: SessionId
  /** What is watched. */
  readonly titleId: TitleId
  /** Counts the session's events from 0. */
  readonly sequence: number
  /** Where in the media. */
  readonly positionMs: number
  /** Media played since the last event that said so. */
  readonly played: readonly PlayedRange[]
  /** Of the video being shown. */
  readonly videoBitrateKbps: number | null
  /** Media buffered ahead. */
  readonly bufferMs: number | null
  /** The CDN, where it is not the context's. */
  readonly cdn: string | null
  /** Where and on what; on the first events of a view. */
  readonly context: Context | null
  /** What the producer knew of the title. */
  readonly facts: TitleFacts | null
  /** What points at a person. */
  readonly personal: Personal | null
}

/** The viewer says that a title counts as watched, or no longer does. */
export interface MarkedWatched {
  readonly type: 'MarkedWatched'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Who watches; anonymous viewers get an id of their own. */
  readonly profileId: ProfileId
  /** What is watched. */
  readonly titleId: TitleId
  /** False takes the mark back. */
  readonly watched: boolean
  /** What the producer knew of the title. */
  readonly facts: TitleFacts | null
  /** What points at a person. */
  readonly personal: Personal | null
}

/** Forget where the profile was in the title. */
export interface ProgressCleared {
  readonly type: 'ProgressCleared'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Who watches; anonymous viewers get an id of their own. */
  readonly profileId: ProfileId
  /** What is watched. */
  readonly titleId: TitleId
  /** What points at a person. */
  readonly personal: Personal | null
}

/** An application says where a profile is in a title; from a player, a Heartbeat says the same. */
export interface ProgressReported {
  readonly type: 'ProgressReported'
  /** Who wrote this, and when; always the first field. */
  readonly meta: Meta
  /** Who watches; anonymous viewers get an id of their own. */
  readonly profileId: ProfileId
  /** What is watched. */
  readonly titleId: TitleId
  /** The player's run, if there is one. */
  readonly sessionId: SessionId | null
  /** Where in the media. */
  readonly positionMs: number
  /** Length of the title, as the writer knows it. */
  readonly durationMs: number | null
  /** Media played since the last report. */
  readonly played: readonly PlayedRange[]
  /** What the producer knew of the title. */
  readonly facts: TitleFacts | null
  /** What points at a person. */
  readonly personal: Personal | null
}

export type PlayheadEvent =
  | ProfileErased
  | StreamSlotReleased
  | StreamSlotRenewed
  | StreamSlotRequested
  | AdBreakEnded
  | AdBreakFailed
  | AdBreakStarted
  | AdEnded
  | AdFailed
  | AdStarted
  | CmcdReport
  | CmcdRequest
  | CustomEvent
  | DeadLetterDiscarded
  | DeadLetterReplayed
  | GenerationPromoted
  | GenerationRequested
  | GrantIssued
  | IncidentOpened
  | IncidentResolved
  | OperatorActed
  | ReplayedEvent
  | ExperimentDefined
  | ExperimentExposed
  | ExperimentPaused
  | ExperimentStarted
  | ExperimentStopped
  | ViewImported
  | Impression
  | LadderPlanned
  | MasterProbed
  | MasterRejected
  | MasterSubmitted
  | QualityMeasured
  | RenditionReady
  | TaskClaimed
  | TaskCompleted
  | TaskFailed
  | TaskProgressed
  | TaskQueued
  | TitlePackaged
  | TitlePublished
  | TitleRegistered
  | TitleWithdrawn
  | FirstFrame
  | Heartbeat
  | PlaybackEnded
  | PlaybackFailed
  | PlaybackPaused
  | PlaybackResumed
  | PlaybackStarted
  | RenditionChanged
  | SeekEnded
  | SeekStarted
  | StallEnded
  | StallStarted
  | MarkedWatched
  | ProgressCleared
  | ProgressReported

export type EventType = PlayheadEvent['type']
