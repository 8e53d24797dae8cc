/** Engines that a command opens one after the other: closed again, the last one first, also when one of them fails. */

interface Closable {
  close(): Promise<void>
}

export class Opened {
  readonly #engines: Closable[] = []

  keep<T extends Closable>(engine: T): T {
    this.#engines.push(engine)
    return engine
  }

  async close(): Promise<void> {
    for (const engine of this.#engines.splice(0).reverse()) await engine.close()
  }
}

/** What `open` opened is closed if it fails; else the caller closes it. */
export async function openTogether<T>(open: (opened: Opened) => Promise<T>): Promise<T & Closable> {
  const opened = new Opened()
  try {
    return { ...(await open(opened)), close: () => opened.close() }
  } catch (error) {
    await opened.close()
    throw error
  }
}
