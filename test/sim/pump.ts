/** What makes a world go on by itself while a test awaits it. */
import type { SimWorld } from './world.ts'

export interface Pumping {
  stop(): void
}

/** As fast as the machine allows: an hour of waiting is over in no time. */
export function pump(world: SimWorld): Pumping {
  let stopped = false
  const turn = () => {
    if (stopped) return
    world.step()
    setImmediate(turn)
  }
  setImmediate(turn)
  return {
    stop: () => {
      stopped = true
    },
  }
}

/** Its time follows real time, for tests that wait in real time and that other tests must be able to outrun. */
export function pumpInRealTime(world: SimWorld): Pumping {
  const aheadMs = world.nowMs - Math.floor(performance.now())
  world.follow(() => Math.floor(performance.now()) + aheadMs)
  let stopped = false
  const turn = async () => {
    await world.runDue()
    if (!stopped) setTimeout(() => void turn(), 1)
  }
  void turn()
  return {
    stop: () => {
      stopped = true
    },
  }
}
