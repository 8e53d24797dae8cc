/**
 * What the driver (4.10) gets wrong about its hosts, and how it is put right.
 *
 * When all nodes were gone at once it makes a new object for each host and forgets the old one, which goes on to
 * reconnect for ever and keeps the process up; its token map still names the old ones. So a host is closed when
 * another takes its place, all are closed at the end, and query plans are turned into the hosts that are current.
 */
import { type Client, type EmptyCallback, type Host, type HostMap, policies } from 'cassandra-driver'

const { DCAwareRoundRobinPolicy, RoundRobinPolicy, TokenAwarePolicy } = policies.loadBalancing
type TokenAware = InstanceType<typeof TokenAwarePolicy>

/** What the driver's types leave out. */
type Closable = Host & { shutdown(waitForPending: boolean): Promise<void> }

/** Answers what closes every host, to be called after the client's own shutdown. */
export function watchHosts(client: Client): () => Promise<void> {
  const hosts = new Map<string, Closable>()
  const keep = (host: Closable): void => {
    const former = hosts.get(host.address)
    hosts.set(host.address, host)
    if (former === undefined || former === host) return
    former.shutdown(false).catch((error: unknown) => client.emit('log', 'warning', 'Host', String(error)))
  }
  client.on('hostAdd', keep)
  client.on('connected', () => {
    for (const host of client.hosts?.values() ?? []) keep(host as Closable)
  })
  return async () => {
    await Promise.all([...hosts.values()].map((host) => host.shutdown(false)))
  }
}

/** The driver leaves its first connection open when connecting fails after it, and so keeps the process up. */
export async function closeHalfOpen(client: Client): Promise<void> {
  const { controlConnection } = client as unknown as {
    readonly controlConnection: { readonly connection?: { close(): void } | null; shutdown(): void }
  }
  controlConnection.shutdown()
  controlConnection.connection?.close()
  await client.shutdown()
}

/** Nodes that have the row first; with a data centre given, none of another. */
export function loadBalancing(localDataCenter: string | undefined): policies.loadBalancing.LoadBalancingPolicy {
  const all = localDataCenter ? new DCAwareRoundRobinPolicy(localDataCenter) : new RoundRobinPolicy()
  return new CurrentHostsPolicy(all)
}

class CurrentHostsPolicy extends TokenAwarePolicy {
  #hosts: HostMap | undefined

  override init(client: Client, hosts: HostMap, done: EmptyCallback): void {
    this.#hosts = hosts
    super.init(client, hosts, done)
  }

  override newQueryPlan(...[keyspace, options, done]: Parameters<TokenAware['newQueryPlan']>): void {
    super.newQueryPlan(keyspace, options, (error, plan) => done(error, plan && this.#current(plan)))
  }

  *#current(plan: Iterator<Host>): Generator<Host, undefined> {
    for (let step = plan.next(); !step.done; step = plan.next()) {
      const host = this.#hosts?.get(step.value.address)
      if (host !== undefined) yield host
    }
    return undefined
  }
}
