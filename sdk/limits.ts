/** Every limit of sdk/, by name, in one place. Each on its own, so that the bundle holds their values and not their names. */

/** Between two heartbeats, where neither the options nor the service say otherwise. */
export const heartbeatMs = 10_000
/** While paused nothing moves: enough to keep the stream slot, which lives 45 s. */
export const pausedHeartbeatMs = 30_000
export const tickMs = 1_000
/** Playing, and the position has stood for so long: it stalls, whatever the browser says. */
export const stallAfterMs = 1_000
/** Nothing ran for so long while it should have played: the machine slept, if media did not go on either. */
export const sleepGapMs = 5_000
export const sleepMinMs = 3_000
/** The wall clock ran ahead of the steady one by this much: time passed that the steady one did not count. */
export const clockJumpMinMs = 2_000
/** Farther than any sleep: a clock that was put right. */
export const clockJumpMaxMs = 7 * 86_400_000
/** Media may run ahead of the clock by half and by this much before it counts as a jump. */
export const progressSlackMs = 1_000
/** A shorter hop forward is the player's own, over a hole in its buffer. */
export const nudgeMaxMs = 500
export const playedRangesMax = 100
/** Failures that playback survived, told of one session. */
export const errorsMax = 50
/** Events that wait for one session; the oldest go first. */
export const queuedEventsMax = 5_000
/** Sessions of earlier pages that wait in the store, and for how long. */
export const storedSessionsMax = 50
export const storedMaxMs = 7 * 86_400_000
/** Without Web Locks: a session that has been silent for so long is nobody's. */
export const orphanAfterMs = 5 * 60_000
/** Gathers what happens at once into one request. */
export const gatherMs = 250
export const batchEventsMax = 100
export const batchBytesMax = 256_000
/** What sessionId, profileId and titleId add to an event as it leaves. */
export const idsBytes = 200
/** Browsers let 64 KiB of keepalive requests out of a page that goes. */
export const hideBytesMax = 60_000
export const requestTimeoutMs = 15_000
export const backoffMinMs = 1_000
export const backoffMaxMs = 60_000
export const retryAfterMaxMs = 300_000
/** A start that was refused for good is asked for again. */
export const refusedMs = 15_000
/** How long `ready` and `end` wait for the service at most. */
export const readyMaxMs = 3_000
export const endMaxMs = 5_000
/** A viewer who has watched this much from the beginning is not thrown to the resume position. */
export const resumeBeforeMs = 3_000
/** A new try at the stream of other devices' progress. */
export const remoteRetryMs = 10_000
export const textCharsMax = 128
export const messageCharsMax = 500
