/** What a person sees of a running import: a bar at a terminal, a plain line every few seconds elsewhere. */
import type { Io } from '../command.ts'
import { IMPORT_LIMITS } from './limits.ts'
import type { Rejection } from './rejected.ts'
import type { ImportCounts } from './state.ts'

export interface Report {
  /** `totalBytes` is undefined where nobody knows (standard input). */
  show(counts: ImportCounts, offset: number, totalBytes: number | undefined): void
  rejected(rejection: Rejection): void
  end(): void
}

const DRAW_EVERY_MS = 100
const BAR_CHARS = 30
const CLEAR = '\r\u001b[K'

export function reportTo(io: Io, nowMs: () => number): Report {
  const everyMs = io.tty ? DRAW_EVERY_MS : IMPORT_LIMITS.reportEveryMs
  const begunAtMs = nowMs()
  let first: { readonly offset: number; readonly rows: number } | undefined
  let shownAtMs = begunAtMs
  let badShown = 0
  return {
    show: (counts, offset, totalBytes) => {
      first ??= { offset, rows: counts.rows }
      const now = nowMs()
      if (now - shownAtMs < everyMs) return
      shownAtMs = now
      const elapsedMs = now - begunAtMs
      const rate = Math.round(((counts.rows - first.rows) * 1000) / elapsedMs)
      const rows = `${counts.rows} rows (${rate}/s)${counts.rejected > 0 ? `, ${counts.rejected} rejected` : ''}`
      const left = totalBytes === undefined ? '' : remaining(offset - first.offset, totalBytes - offset, elapsedMs)
      const share = totalBytes === undefined || totalBytes === 0 ? undefined : Math.min(1, offset / totalBytes)
      const percent = share === undefined ? '' : `, ${Math.floor(share * 100)}%`
      const filled = share === undefined ? '' : `${blocks(share)} `
      io.err(io.tty ? `${CLEAR}${filled}${rows}${percent}${left}` : `${rows}${percent}${left}\n`)
    },
    rejected: ({ line, field, problem, remedy }) => {
      badShown++
      if (badShown > IMPORT_LIMITS.errorsShownMax) return
      io.err(`${io.tty ? CLEAR : ''}line ${line}: ${field === '' ? 'it' : field} ${problem}. ${remedy}\n`)
      if (badShown === IMPORT_LIMITS.errorsShownMax) io.err('Further bad lines are not shown.\n')
    },
    end: () => {
      if (io.tty) io.err(CLEAR)
    },
  }
}

function blocks(share: number): string {
  const filled = Math.round(share * BAR_CHARS)
  return '█'.repeat(filled) + '░'.repeat(BAR_CHARS - filled)
}

function remaining(doneBytes: number, leftBytes: number, elapsedMs: number): string {
  if (doneBytes <= 0 || elapsedMs <= 0) return ''
  return `, ${Math.ceil((leftBytes * elapsedMs) / doneBytes / 1000)} s to go`
}
