import type { Endpoint } from '../../endpoint/endpoint.ts'
import { settingsOf } from '../../endpoint/settings-of.ts'
import type { RouteInfo } from '../../hooks/route-info.ts'
import type { Meter } from '../../overload/meter.ts'
import { coreOf } from '../../rpc/call-core.ts'
import type { RpcClient } from '../../rpc/client.ts'
import type { RpcServer } from '../../rpc/server.ts'
import type { Session } from '../../session/session.ts'
import { DEFAULT_BOUNDS, planBuckets } from '../metrics/buckets.ts'
import { EndpointMeter } from '../metrics/meter.ts'
import { clientsOf, serverOf } from '../metrics/services.ts'
import { RecentCalls } from './recent-calls.ts'
import { Samples } from './samples.ts'
import type { ConsoleState } from './state.ts'

/** All that the pages read. */
export class ConsoleView {
  readonly state: ConsoleState
  readonly samples: Samples
  readonly recent: RecentCalls
  /** Value that forms must have. */
  readonly csrf: string
  #own: EndpointMeter | undefined
  readonly #meters = new Set<EndpointMeter>()

  constructor(state: ConsoleState, csrf: string, onSample: () => void) {
    this.state = state
    this.csrf = csrf
    this.recent = new RecentCalls(state.settings.slow)
    this.samples = new Samples({
      meters: () => this.#meters,
      sessions: () => this.endpoints().reduce((sum, [endpoint]) => sum + endpoint.sessionCount, 0),
      onSample,
    })
  }

  /** Shares the counts of the endpoint's meter, or measures the endpoint when nothing else does. */
  add(endpoint: Endpoint): void {
    const settings = settingsOf(endpoint)
    let meter = meterOf(settings.meter)
    if (meter === undefined) {
      meter = this.#own ??= new EndpointMeter('', planBuckets(DEFAULT_BOUNDS, false).bounds)
      if (this.#meters.size === 0) meter.useClock(endpoint.clock)
      if (settings.meter?.inner === null) settings.meter.inner = meter
      else settings.meter = meter
    }
    meter.observe(this.recent)
    this.#meters.add(meter)
  }

  meters(): ReadonlySet<EndpointMeter> {
    return this.#meters
  }

  /** The endpoints and those of the clients, with their numbers; clients' are negative. */
  endpoints(): [Endpoint, number][] {
    const { endpoints, settings } = this.state
    const all = [...endpoints].map(([endpoint, { number }]): [Endpoint, number] => [endpoint, number])
    settings.clients.forEach((client, i) => {
      if (!endpoints.has(client.endpoint) && !coreOf(client).isClosed) all.push([client.endpoint, -1 - i])
    })
    return all
  }

  /** The routes of all endpoints, by kind and name. */
  routes(): Map<string, RouteInfo> {
    return new Map([...this.state.endpoints.values()].flatMap(({ routes }) => [...routes]))
  }

  /** The addresses that the endpoints listen on. */
  urls(): string[] {
    return [...this.state.endpoints.values()].flatMap(({ urls }) => [...urls])
  }

  /** The clients of the endpoints, and those that the console was given. */
  clients(): RpcClient[] {
    return clientsOf(this.state.endpoints.keys(), this.state.settings.clients)
  }

  servers(): RpcServer[] {
    return [...this.state.endpoints.keys()].flatMap((endpoint) => serverOf(endpoint) ?? [])
  }

  session(endpoint: number, id: string): Session | undefined {
    return this.endpoints()
      .find(([, number]) => number === endpoint)?.[0]
      .session(id)
  }
}

/** The meter that counts, behind an access log or not. */
function meterOf(first: Meter | null): EndpointMeter | undefined {
  for (let meter: Meter | null | undefined = first; meter != null; meter = meter.inner) if (meter instanceof EndpointMeter) return meter
  return undefined
}
