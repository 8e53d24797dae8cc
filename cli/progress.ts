/** One line that is drawn again and again at a terminal, and nothing elsewhere. */
import type { Io } from './command.ts'

export interface Progress {
  /** Draws at most ten times a second. */
  show(done: bigint, total: bigint): void
  end(): void
}

const BAR_CHARS = 30
const DRAW_EVERY_MS = 100

export function progress(io: Io, unit: string, nowMs: () => number): Progress {
  const begunAtMs = nowMs()
  let drawnAtMs = 0
  return {
    show: (done, total) => {
      const now = nowMs()
      if (!io.tty || now - drawnAtMs < DRAW_EVERY_MS) return
      drawnAtMs = now
      io.err(`\r\u001b[K${bar(done, total, now - begunAtMs)} ${unit}`)
    },
    end: () => {
      if (io.tty) io.err('\r\u001b[K')
    },
  }
}

export function bar(done: bigint, total: bigint, elapsedMs: number): string {
  const share = total === 0n ? 1 : Math.min(1, Number(done) / Number(total))
  const filled = Math.round(share * BAR_CHARS)
  const perSecond = elapsedMs === 0 ? 0 : (Number(done) * 1000) / elapsedMs
  const leftS = perSecond === 0 ? '' : `, ${Math.ceil(Number(total - done) / perSecond)} s to go`
  const blocks = '█'.repeat(filled) + '░'.repeat(BAR_CHARS - filled)
  return `${blocks} ${Math.floor(share * 100)}% ${done}/${total}, ${Math.round(perSecond)}/s${leftS}`
}
