/** The conditions at one simulated engine for a while: slow, failing, or with a full disk. Who meets them is whoever asks it. */
export class Weather {
  slowMs = 0
  /** Chance that a request is lost. */
  failing = 0
  /** Whatever would need space is refused. */
  full = false

  clear(): void {
    this.slowMs = 0
    this.failing = 0
    this.full = false
  }
}

export const FAIR: Readonly<Weather> = new Weather()
