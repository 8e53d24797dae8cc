/** Every limit of the demo, by name, in one place. */
export const DEMO_LIMITS = {
  /** History that is shown, and what the audience gets before it to fill up: it begins with nobody. */
  historyMs: 60 * 60_000,
  warmUpMs: 25 * 60_000,
  /** An audience that began this long ago is thought through again, to go on where it stopped; an older one is replaced. */
  againMs: 3 * 60 * 60_000,
  viewsAnHour: 1_500,
  viewsAnHourMax: 200_000,
  titles: 60,
  clipSeconds: 120,
  tokenSeconds: 24 * 3_600,
  /** A CDN goes bad again and again: for the first time so long before the demo begins, then as often as this. */
  firstFaultMs: 24 * 60_000,
  faultEveryMs: 28 * 60_000,
  faultForMs: 5 * 60_000,
  faults: 16,
  noteCharsMax: 4_096,
  drawEveryMs: 500,
} as const
