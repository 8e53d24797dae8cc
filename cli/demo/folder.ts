/**
 * The demo's data folder. It holds made-up views, so a folder is the demo's own or it is not touched: new and empty, or
 * with the note that an earlier demo left there, which says how far that one's audience came.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DEMO_LIMITS } from './limits.ts'

export interface DemoNote {
  /** When the audience was made: with its seed and size, all that it takes to make it again. */
  readonly madeAtMs: number
  readonly fromMs: number
  readonly seed: string
  readonly views: number
  /** Up to when its events were sent. */
  readonly reachedMs: number
}

const NOTHING: DemoNote = { madeAtMs: 0, fromMs: 0, seed: '', views: 0, reachedMs: 0 }

export class DemoFolderTaken extends Error {
  readonly code = 'DEMO_FOLDER_TAKEN'
  constructor(dir: string) {
    super(
      `${dir} holds an engine's data, and not a demo's: made-up views do not go in there. Name another folder with PLAYHEAD_DATA.`,
    )
    this.name = 'DemoFolderTaken'
  }
}

const NOTE = 'demo.json'

/** Throws DemoFolderTaken. */
export function openDemoFolder(dir: string): DemoNote {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const path = join(dir, NOTE)
  if (existsSync(path)) return parse(readFileSync(path, 'utf8'))
  if (readdirSync(dir).length > 0) throw new DemoFolderTaken(dir)
  keepDemoNote(dir, NOTHING)
  return NOTHING
}

export function keepDemoNote(dir: string, note: DemoNote): void {
  writeFileSync(join(dir, NOTE), `${JSON.stringify(note)}\n`, { mode: 0o600 })
}

/** A note that was cut off by a crash says nothing: the audience begins anew. */
function parse(text: string): DemoNote {
  try {
    const note = JSON.parse(text.slice(0, DEMO_LIMITS.noteCharsMax)) as Partial<DemoNote>
    return { ...NOTHING, ...note }
  } catch (error) {
    if (error instanceof SyntaxError) return NOTHING
    throw error
  }
}

/** The audience of this run: the one before, if it is not too old and nothing else was asked for, or a new one. */
export function planned(before: DemoNote, seed: string, views: number, nowMs: number): DemoNote {
  const { madeAtMs, reachedMs } = before
  const goesOn = before.seed === seed && before.views === views && nowMs - madeAtMs < DEMO_LIMITS.againMs
  if (goesOn && madeAtMs <= nowMs) return before
  // A new one comes after the old one, or viewers of both would be there at once.
  const fromMs = Math.max(reachedMs, nowMs - DEMO_LIMITS.historyMs - DEMO_LIMITS.warmUpMs)
  return { madeAtMs: nowMs, fromMs: Math.min(fromMs, nowMs), seed, views, reachedMs: 0 }
}
