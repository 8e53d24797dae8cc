/**
 * What a player is doing, and what is told when a media element says something new. Pure: a table of state × signal that
 * the compiler completes.
 *
 * idle      nothing was asked for; nothing is told
 * starting  asked for, no frame yet
 * held      paused before the first frame
 * playing
 * paused
 * seeking   will play on when it is ready; the seek lasts until media moves
 * scrubbing seeks while paused; the seek lasts until the browser has the position
 * stalled   waits for data: neither startup nor a seek (CTA-2066)
 * ended, failed: over, until media moves or is asked for again
 *
 * A cell is the next state and the words that are told on the way, in order; an empty cell changes nothing.
 */
export type State =
  | 'idle'
  | 'starting'
  | 'held'
  | 'playing'
  | 'paused'
  | 'seeking'
  | 'scrubbing'
  | 'stalled'
  | 'ended'
  | 'failed'

/** `moves`: media advances. `waits`: it stopped for want of data. `leaves`: the viewer or the page goes. */
export type Signal = 'play' | 'moves' | 'pause' | 'waits' | 'seeks' | 'sought' | 'ends' | 'fails' | 'leaves'

export type Word =
  | 'request'
  | 'frame'
  | 'pause'
  | 'resume'
  | 'seek'
  | 'sought'
  | 'stall'
  | 'flow'
  | 'end'
  | 'quit'
  | 'fail'

type Cell = '' | State | `${State} ${Word}` | `${State} ${Word}+${Word}`

export const MACHINE: Readonly<Record<State, Readonly<Record<Signal, Cell>>>> = {
  idle: {
    play: 'starting request',
    // Attached in mid-play: when it was asked for is not known, so no startup is claimed.
    moves: 'playing request',
    pause: '',
    waits: '',
    seeks: '',
    sought: '',
    ends: '',
    fails: 'failed request+fail',
    leaves: '',
  },
  starting: {
    play: '',
    moves: 'playing frame',
    pause: 'held pause',
    waits: '',
    // To where it resumes: part of the startup.
    seeks: '',
    sought: '',
    ends: 'ended frame+end',
    fails: 'failed fail',
    leaves: 'ended quit',
  },
  held: {
    play: 'starting resume',
    moves: 'playing resume+frame',
    pause: '',
    waits: '',
    seeks: '',
    sought: '',
    ends: 'ended end',
    fails: 'failed fail',
    leaves: 'ended quit',
  },
  playing: {
    play: '',
    moves: '',
    pause: 'paused pause',
    waits: 'stalled stall',
    seeks: 'seeking seek',
    sought: '',
    ends: 'ended end',
    fails: 'failed fail',
    leaves: 'ended quit',
  },
  paused: {
    play: 'playing resume',
    moves: 'playing resume',
    pause: '',
    waits: '',
    seeks: 'scrubbing seek',
    sought: '',
    ends: 'ended end',
    fails: 'failed fail',
    leaves: 'ended quit',
  },
  seeking: {
    play: '',
    moves: 'playing sought',
    pause: 'scrubbing pause',
    waits: '',
    // A seek within a seek is one.
    seeks: '',
    sought: '',
    ends: 'ended sought+end',
    fails: 'failed fail',
    leaves: 'ended quit',
  },
  scrubbing: {
    play: 'seeking resume',
    moves: 'playing resume+sought',
    pause: '',
    waits: '',
    seeks: '',
    sought: 'paused sought',
    ends: 'ended sought+end',
    fails: 'failed fail',
    leaves: 'ended quit',
  },
  stalled: {
    play: '',
    moves: 'playing flow',
    pause: 'paused pause',
    waits: '',
    seeks: 'seeking seek',
    sought: '',
    ends: 'ended end',
    fails: 'failed fail',
    leaves: 'ended quit',
  },
  ended: {
    play: 'playing resume',
    moves: 'playing resume',
    pause: '',
    waits: '',
    seeks: 'scrubbing seek',
    sought: '',
    ends: '',
    fails: '',
    leaves: '',
  },
  failed: {
    play: 'starting request',
    moves: 'playing frame',
    pause: '',
    waits: '',
    seeks: '',
    sought: '',
    ends: 'ended end',
    fails: '',
    leaves: '',
  },
}

export interface Step {
  readonly state: State
  readonly words: readonly Word[]
}

/** Undefined where the signal changes nothing. */
export function step(state: State, signal: Signal): Step | undefined {
  const cell = MACHINE[state][signal]
  if (cell === '') return undefined
  const [next, words] = cell.split(' ') as [State, string?]
  return { state: next, words: words === undefined ? [] : (words.split('+') as Word[]) }
}
