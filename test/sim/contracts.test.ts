/** The simulated engines keep the same contracts as the real ones: otherwise what they prove says little. */
import { logContract } from '../log/contract.ts'
import { stateContract } from '../stores/state-contract.ts'
import { vaultContract } from '../stores/vault-contract.ts'
import { simLog } from './log.ts'
import { SimLogServer } from './log-server.ts'
import { CALM, SimProcess } from './process.ts'
import { pumpInRealTime } from './pump.ts'
import { simState } from './state.ts'
import { SimStateServer } from './state-server.ts'
import { SimVaultServer, simVault } from './vault.ts'
import { SimWorld } from './world.ts'

logContract('sim', async () => {
  const world = new SimWorld(1)
  const pumping = pumpInRealTime(world)
  const server = new SimLogServer(world)
  let clients = 0
  return {
    open: async () => simLog(server, new SimProcess(`client-${clients++}`, world, () => CALM)),
    close: async () => pumping.stop(),
  }
})

stateContract('sim', async () => {
  const world = new SimWorld(1)
  const pumping = pumpInRealTime(world)
  const server = new SimStateServer()
  let clients = 0
  return {
    open: async (clock) => simState(server, new SimProcess(`client-${clients++}`, world, () => CALM), clock),
    close: async () => pumping.stop(),
  }
})

vaultContract('sim', async () => {
  const world = new SimWorld(1)
  const pumping = pumpInRealTime(world)
  const server = new SimVaultServer()
  let clients = 0
  return {
    open: async () => simVault(server, new SimProcess(`client-${clients++}`, world, () => CALM)),
    close: async () => pumping.stop(),
  }
})
