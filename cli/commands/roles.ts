/** A role alone in this process: how a cluster runs them, and what `playhead up` starts. */
import type { Command } from '../command.ts'
import type { RoleSpecification } from '../roles/role.ts'

const ABOUT = `Logs JSON lines, answers /healthz, /readyz and /metrics, and drains on SIGTERM. Settings are variables;
\`playhead config\` shows them.`

export const api = command('api', `The HTTP API: takes events, answers reads.\n${ABOUT}`, async () => {
  return (await import('../roles/api.ts')).apiRole
})

export const consumers = command(
  'consumers',
  `Folds the event log into tables. Start as many as you like.\n${ABOUT}`,
  async () => {
    return (await import('../roles/consumers.ts')).consumersRole
  },
)

export const builder = command(
  'builder',
  `Folds the log into tables that are built beside those that are read, so that the consumers have only these to do.
\`playhead up\` starts it while there is something to build; elsewhere start as many as you like, and the consumers with
PLAYHEAD_BUILDS=apart.\n${ABOUT}`,
  async () => (await import('../roles/builder.ts')).builderRole,
)

export const analytics = command(
  'analytics',
  `ClickHouse's own HTTP interface over the embedded engine, for one machine.\n${ABOUT}`,
  async () => (await import('../roles/analytics.ts')).analyticsRole,
)

function command(name: string, about: string, load: () => Promise<RoleSpecification>): Command {
  return {
    name,
    about,
    run: async () => {
      const role = await load()
      const { runRole } = await import('../roles/role.ts')
      return await runRole(role)
    },
  }
}
