import type { Endpoint } from '../../endpoint/endpoint.ts'
import { coreOf } from '../../rpc/call-core.ts'
import type { RpcClient } from '../../rpc/client.ts'
import { ownerOf } from '../../rpc/endpoint-owner.ts'
import type { RpcServer } from '../../rpc/server.ts'
import { counter, type Family, gauge } from './family.ts'
import { Labels } from './labels.ts'

/** Families of clients and servers of services. */
const nodes = gauge('dmicro_nodes', 'Nodes of a service that are known, in use or ejected.')
const picks = counter('dmicro_node_picks_total', 'Calls that a node was picked for.')
const health = counter('dmicro_node_health_changes_total', 'Nodes ejected because their calls fail, and nodes that returned.')
const changes = counter('dmicro_node_changes_total', 'Nodes that came and left.')
const up = { ...gauge('dmicro_registry_up', 'Whether the registry is watched: 1, or 0 while it is lost.'), merging: 'min' } as const
const updates = counter('dmicro_registry_updates_total', 'Lists of nodes that the registry gave.')
const outages = counter('dmicro_registry_outages_total', 'Times that the registry was lost.')
const registered = gauge('dmicro_registered', 'Servers whose record is in the registry.')
const registrations = counter('dmicro_registrations_total', 'Registrations and renewals of servers.')
const removals = counter('dmicro_registration_removals_total', 'Times that somebody took the record of a server out.')
const unavailable = counter('dmicro_unavailable_total', 'Calls that no node could take.')
const retries = counter('dmicro_retries_total', 'Attempts after the first one of a call, by why they were made.')
const given = counter('dmicro_retries_refused_total', 'Attempts that were not made, by why not.')
const budget = { ...gauge('dmicro_retry_budget', 'Retries that the budget would allow now.'), merging: 'min' } as const
const wins = counter('dmicro_hedge_wins_total', 'Calls whose additional attempt was answered first.')
const fallbacks = counter('dmicro_fallbacks_total', 'Failed calls that a fallback gave a value for, or passed on.')
const breakers = gauge('dmicro_breakers', 'Circuit breakers by state.')
const breakerCalls = counter('dmicro_breaker_calls_total', 'Calls that breakers let pass or rejected, and results that they saw.')
const openings = counter('dmicro_breaker_openings_total', 'Times that a breaker opened.')

/** In the order of a page. */
export const serviceFamilies: readonly Family[] = [
  nodes,
  picks,
  health,
  changes,
  up,
  updates,
  outages,
  registered,
  registrations,
  removals,
  unavailable,
  retries,
  given,
  budget,
  wins,
  fallbacks,
  breakers,
  breakerCalls,
  openings,
]

/** Takes a value of one series. */
export type Show = (family: Family, labels: Labels, value: number) => void

/** Shows what the client or server of an endpoint counts. */
export function showService(endpoint: Endpoint, name: string, show: Show): void {
  const [client, server] = [clientOf(endpoint), serverOf(endpoint)]
  if (client !== undefined) showClient(client, new Labels({ name, service: client.service }), show)
  if (server !== undefined) showServer(server, new Labels({ name, service: server.name }), show)
}

function showServer({ registered: isIn, registrations: stats }: RpcServer, own: Labels, show: Show): void {
  if (stats === undefined) return
  show(registered, own, isIn ? 1 : 0)
  show(registrations, own.and('result', 'success'), stats.succeeded)
  show(registrations, own.and('result', 'failure'), stats.failed)
  show(removals, own, stats.removed)
}

function showClient(client: RpcClient, own: Labels, show: Show): void {
  const { selector, service, stats } = client
  const seen = selector.stats(service)
  if (!coreOf(client).isClosed) {
    const ejected = selector.candidates(service).filter(({ isEjected }) => isEjected).length
    show(nodes, own.and('state', 'in_use'), selector.candidates(service).length - ejected)
    show(nodes, own.and('state', 'ejected'), ejected)
    show(up, own, selector.isConnected(service) ? 1 : 0)
  }
  if (seen !== undefined) {
    show(picks, own, seen.picks)
    show(health, own.and('change', 'ejected'), seen.ejections)
    show(health, own.and('change', 'returned'), seen.returns)
    show(changes, own.and('change', 'came'), seen.came)
    show(changes, own.and('change', 'left'), seen.left)
    show(updates, own, seen.updates)
    show(outages, own, seen.outages)
  }
  show(unavailable, own, stats.unavailable)
  showRetries(client, own, show)
  showBreakers(client, own, show)
}

function showRetries(client: RpcClient, own: Labels, show: Show): void {
  const { stats, retry, hedge, fallback } = client
  show(retries, own.and('kind', 'failover'), stats.failovers)
  if (retry !== undefined) {
    show(retries, own.and('kind', 'retry'), retry.stats.retries)
    for (const reason of ['final', 'late', 'spent'] as const) show(given, own.and('reason', reason), retry.stats[reason])
    show(given, own.and('reason', 'budget'), retry.stats.refused)
    if (!coreOf(client).isClosed) show(budget, own, retry.budget.available)
  }
  if (hedge !== undefined) {
    show(retries, own.and('kind', 'hedge'), hedge.stats.hedges)
    show(given, own.and('reason', 'hedge_budget'), hedge.stats.refused)
    show(wins, own, hedge.stats.wins)
  }
  if (fallback !== undefined) {
    show(fallbacks, own.and('result', 'handled'), fallback.stats.handled)
    show(fallbacks, own.and('result', 'passed'), fallback.stats.passed)
  }
}

function showBreakers(client: RpcClient, own: Labels, show: Show): void {
  const { breakers: all } = client
  if (all === undefined) return
  if (!coreOf(client).isClosed) {
    const states = { closed: 0, open: 0, 'half-open': 0 }
    for (const { state } of all) states[state]++
    for (const [state, count] of Object.entries(states)) show(breakers, own.and('state', state.replace('-', '_')), count)
  }
  const { allowed, rejected, successes, failures, opened } = all.stats
  for (const [result, count] of Object.entries({ allowed, rejected, succeeded: successes, failed: failures }))
    show(breakerCalls, own.and('result', result), count)
  show(openings, own, opened)
}

function clientOf(endpoint: Endpoint): RpcClient | undefined {
  return ownerOf(endpoint)?.client as RpcClient | undefined
}

/** The server that made `endpoint`; undefined for none. */
export function serverOf(endpoint: Endpoint): RpcServer | undefined {
  return ownerOf(endpoint)?.server as RpcServer | undefined
}

/** The clients of endpoints, and those of `more`, each once. Closed ones are left out. */
export function clientsOf(endpoints: Iterable<Endpoint>, more: readonly RpcClient[] = []): RpcClient[] {
  const all = new Set(more)
  for (const endpoint of endpoints) {
    const client = clientOf(endpoint)
    if (client !== undefined) all.add(client)
  }
  return [...all].filter((client) => !coreOf(client).isClosed)
}
