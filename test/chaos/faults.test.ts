import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { type Endpoint, heartbeatPing, heartbeatPong, type Session } from '../../src/index.ts'
import { endpoint, type Kind, transports } from '../support/helpers.ts'
import type { Quiet, Report, Reported, Serve } from './fixtures/server.ts'
import { type Link, linkMissing, makeLink, type Way } from './link.ts'
import { FaultyProxy } from './proxy.ts'
import { Child, limit, scaled, side, until, watchLoop } from './support.ts'
import { clock, Traffic } from './traffic.ts'

/** S1. Every pending call settles by its deadline, or within two heartbeats where it has none: whatever happens to the connection. */
const DEADLINE = 300
const INTERVAL = 300
/** A call settles in the turn that it is due, which a busy machine makes late: the short form asks only that it settles. */
const SLACK = scaled(20_000, 150)
/** Milliseconds of a fault in which heartbeats find it out. */
const LASTS = 2 * INTERVAL + 150

type Mode = 'deadline' | 'heartbeat'

/** What stands between clients and server while a fault lasts. */
interface Place {
  readonly child: Child
  /** What clients dial, by mode. */
  readonly urls: Record<Mode, string>
  /** What the child calls it. */
  readonly served: Record<Mode, string>
}

interface Fault {
  /** Sessions are lost at once: calls that were open fail with it. */
  readonly loses?: boolean
  /** Packets come, late: calls are answered. */
  readonly slow?: boolean
  /** Milliseconds in which the peer is still heard, though it hears nothing: until TCP sends only again what nobody acknowledges. */
  readonly heard?: number
  begin(): unknown
  end(): unknown
}

async function serve(
  child: Child,
  transport: Kind,
  host: string,
  ports: Partial<Record<Mode, string>> = {},
): Promise<Record<Mode, string>> {
  const request = { do: 'serve', transport } as const
  const url = `tcp://${host}:0`
  return {
    deadline: await child.ask<string>({ ...request, url: ports.deadline ?? url, timeout: DEADLINE } satisfies Serve),
    heartbeat: await child.ask<string>({ ...request, url: ports.heartbeat ?? url, timeout: 0, interval: INTERVAL } satisfies Serve),
  }
}

interface Client {
  readonly name: string
  readonly mode: Mode
  readonly redial: boolean
  readonly session: Session
  readonly traffic: Traffic
}

/** Either transport, with redial and without, calls with a deadline and with heartbeats in its place. */
async function clients(t: TestContext, place: Place): Promise<Client[]> {
  const all: Client[] = []
  for (const transport of transports)
    for (const mode of ['deadline', 'heartbeat'] as const)
      for (const redial of [true, false]) {
        const plugins = mode === 'heartbeat' ? [heartbeatPing({ interval: INTERVAL }), heartbeatPong()] : []
        const client: Endpoint = endpoint(t, { transport, plugins, timeout: 0, redial: redial && { maxDelay: 200 } })
        client.routeCall('/echo', (value: unknown) => value)
        client.routeCall('/never', () => new Promise(() => {}))
        const session = await client.dial(place.urls[mode])
        const traffic = new Traffic(session, mode === 'deadline' ? DEADLINE : 0)
        t.after(() => traffic.stop())
        all.push({ name: `${transport}, ${mode}${redial ? ', redial' : ''}`, mode, redial, session, traffic })
      }
  return all
}

async function endure(t: TestContext, place: Place, fault: Fault): Promise<void> {
  const all = await clients(t, place)
  const loop = watchLoop()
  await until(() => all.every(({ traffic }) => traffic.answeredSince(0) > 2))
  await place.child.ask({ do: 'quiet', url: place.served.heartbeat } satisfies Quiet)
  for (const { mode, traffic } of all) traffic.never = mode === 'deadline'
  const begun = clock()
  await fault.begin()
  const lasts = fault.slow ? scaled(2 * INTERVAL, 10_000) : LASTS
  await new Promise((resolve) => setTimeout(resolve, lasts))
  const ended = clock()
  await fault.end()
  await until(() =>
    all.every(({ traffic, redial, session }) => (!redial && session.state === 'closed') || traffic.answeredSince(ended) > 0),
  )
  for (const { traffic } of all) traffic.stop()
  const reports = new Map<Mode, Reported>()
  for (const mode of ['deadline', 'heartbeat'] as const) {
    const request: Report = { do: 'report', url: place.served[mode], fault: begun, until: ended }
    if (!fault.loses) reports.set(mode, await place.child.ask<Reported>(request))
  }
  for (const { session } of all) session.destroy()
  await new Promise((resolve) => setTimeout(resolve, 20))
  loop.stop()
  const figures: string[] = []
  for (const { name, mode, redial, session, traffic } of all) {
    assert.equal(traffic.open, 0, `${name}: calls that never settled`)
    const value = mode === 'deadline' ? traffic.lateness : traffic.longest(begun, ended)
    figures.push(`${name} ${value.toFixed()}`)
    if (mode === 'deadline') assert.ok(value <= SLACK + loop.max, `${name}: ${value} ms after the deadline`)
    // What is answered, though late, is no silence.
    else if (!fault.slow)
      assert.ok(value <= 2 * INTERVAL + (fault.heard ?? 0) + SLACK + loop.max, `${name}: a call settled after ${value} ms`)
    if (!redial && fault.loses) assert.equal(session.state, 'closed', name)
  }
  for (const [mode, { open, lateness, longest, stall, sessions }] of reports) {
    assert.ok(sessions > 0, 'the server called nobody')
    assert.equal(open, 0, 'calls of the server that never settled')
    const value = mode === 'deadline' ? lateness : longest
    figures.push(`server, ${mode} ${value.toFixed()}`)
    if (mode === 'deadline') assert.ok(value <= SLACK + stall, `server: ${value} ms after the deadline`)
    else if (!fault.slow) assert.ok(value <= 2 * INTERVAL + (fault.heard ?? 0) + SLACK + stall, `server: a call settled after ${value} ms`)
  }
  t.diagnostic(`ms after the deadline, or to the end: ${figures.join('; ')}; loop ${loop.max.toFixed()}`)
}

/** A proxy before each of the two listeners. */
const socketFaults: Record<string, { loses?: boolean; begin(proxy: FaultyProxy): void }> = {
  'a reset': { begin: (proxy) => proxy.reset() },
  'a FIN from both sides': { begin: (proxy) => proxy.fin() },
  'a FIN from the client alone': { begin: (proxy) => proxy.halfClose('up') },
  'a FIN from the server alone': { begin: (proxy) => proxy.halfClose('down') },
  'a message cut in the middle': { begin: (proxy) => proxy.cut('down', 20) },
  'silence in both directions': { begin: (proxy) => proxy.drop('up', 'down') },
  'silence of the server': { begin: (proxy) => proxy.drop('down') },
  'silence of the client': { begin: (proxy) => proxy.drop('up') },
  'a proxy that stands still': { begin: (proxy) => proxy.stall('up', 'down') },
}

const packetFaults: Record<string, { slow?: boolean; heard?: number; ways: { up?: Way; down?: Way } }> = {
  'a pulled cable': { ways: { up: { loss: 1 }, down: { loss: 1 } } },
  'a partition of one way, to the server': { heard: 300, ways: { up: { loss: 1 } } },
  'a partition of one way, from the server': { heard: 300, ways: { down: { loss: 1 } } },
  '30 % loss': { slow: true, ways: { up: { loss: 0.3 }, down: { loss: 0.3 } } },
  '500 ms jitter': { slow: true, ways: { up: { jitter: 500 }, down: { jitter: 500 } } },
}

describe('every pending call settles (S1)', () => {
  describe('behind a proxy:', side, () => {
    let child: Child
    before(async () => {
      child = await Child.start(undefined, 'server.ts')
    })
    after(() => child.kill())
    for (const [number, [name, { begin }]] of Object.entries(socketFaults).entries())
      it(name, limit, async (t) => {
        for (const transport of scaled([transports[number % transports.length]], [...transports])) {
          const served = await serve(child, transport, '127.0.0.1')
          const proxies = { deadline: await FaultyProxy.start(t, served.deadline), heartbeat: await FaultyProxy.start(t, served.heartbeat) }
          const urls = { deadline: proxies.deadline.url, heartbeat: proxies.heartbeat.url }
          const onBoth = (step: (proxy: FaultyProxy) => void): void => {
            for (const proxy of Object.values(proxies)) step(proxy)
          }
          await endure(t, { child, urls, served }, { begin: () => onBoth(begin), end: () => onBoth((proxy) => proxy.calm()) })
        }
      })
  })

  it('kill -9, and a server at the same port again', limit, async (t) => {
    for (const transport of scaled([transports[0]], [...transports])) {
      let child = await Child.start(t, 'server.ts')
      const urls = await serve(child, transport, '127.0.0.1')
      const restart = async (): Promise<void> => {
        child = await Child.start(t, 'server.ts')
        await serve(child, transport, '127.0.0.1', urls)
      }
      await endure(t, { child, urls, served: urls }, { loses: true, begin: () => child.kill(), end: restart })
    }
  })

  it('a server that is stopped', limit, async (t) => {
    const child = await Child.start(t, 'server.ts')
    const urls = await serve(child, transports[0], '127.0.0.1')
    // Of the server itself nothing can be asked: it notices nothing.
    await endure(t, { child, urls, served: urls }, { begin: () => child.pause(), end: () => child.resume() })
  })

  const missing = linkMissing()
  it('on a cable that', { ...limit, skip: missing ?? false }, async (t) => {
    const link: Link = await makeLink(t)
    const child = await Child.start(t, 'server.ts', { link })
    for (const [number, [name, { ways, ...kind }]] of Object.entries(packetFaults).entries())
      await t.test(name, limit, async (inner) => {
        for (const transport of scaled([transports[number % transports.length]], [...transports])) {
          const urls = await serve(child, transport, link.host)
          await endure(inner, { child, urls, served: urls }, { ...kind, begin: () => link.set(ways), end: () => link.set({}) })
        }
      })
  })
})
