// Sessions on a network in memory go every way that the table of states has, and no other. Each scenario names the transitions that both sides make.

import assert from 'node:assert/strict'
import { once as event } from 'node:events'
import type { Socket } from 'node:net'
import { after, type TestContext, test } from 'node:test'
import { type Endpoint, type EndpointOptions, type Session, StatusError } from '../../../src/index.ts'
import { type SessionState, StateMachine, sessionStates } from '../../../src/session/state.ts'
import type { TestNetwork } from '../../../src/testing/index.ts'
import { frame } from '../../support/frames.ts'
import { once, status } from '../../support/helpers.ts'
import { RawPeer } from '../../support/raw-peer.ts'
import { couple, network, on } from '../../support/testing-network.ts'

type Arrow = `${SessionState} > ${SessionState}`

/** What sessions became, or tried to, since the last scenario began. */
const taken = new Set<Arrow>()
/** The same of all scenarios, and of what came after their ends. */
const takenEver = new Set<Arrow>()
/** What scenarios have shown. */
const shown = new Set<Arrow>()

const { to } = StateMachine.prototype
StateMachine.prototype.to = function (this: StateMachine, next: SessionState): void {
  const arrow: Arrow = `${this.state} > ${next}`
  taken.add(arrow)
  takenEver.add(arrow)
  to.call(this, next)
}
after(() => {
  StateMachine.prototype.to = to
})

/** A test whose sessions take these arrows and no other. */
function scenario(name: string, arrows: Arrow[], run: (t: TestContext, net: TestNetwork) => Promise<void>): void {
  test(name, async (t) => {
    const net = network(t)
    taken.clear()
    await run(t, net)
    assert.deepEqual([...taken].sort(), arrows.sort())
    for (const arrow of taken) shown.add(arrow)
  })
}

const gone = (session: Session): Promise<unknown> => event(session, 'close')
const redial = { minDelay: 10, maxDelay: 100 }

/** A couple whose sessions know each other: the server's goes on after a loss. */
async function acquainted(net: TestNetwork, options: { server?: EndpointOptions; client?: EndpointOptions } = {}) {
  const made = await couple(net, { ...options, client: { redial, ...options.client } })
  for (let n = 0; n < 3; n++) await net.run(made.session.call('/echo', n))
  return made
}

async function listening(net: TestNetwork, options: EndpointOptions = {}): Promise<Endpoint> {
  const server = on(net, 'server', options)
  await net.run(server.listen('tcp://server:1'))
  return server
}

scenario(
  'a session closed by its user, whose peer loses its connection',
  ['open > closing', 'closing > closed', 'open > closed'],
  async (_, net) => {
    const { session, peer } = await couple(net, { client: { extensions: false } })
    const ends = Promise.all([gone(session), gone(peer)])
    await net.run(session.close())
    await net.run(ends)
  },
)

scenario(
  'a session closed by its user, whose peer is told before',
  ['open > closing', 'closing > closed', 'open > draining', 'draining > closed'],
  async (_, net) => {
    const { session, peer } = await couple(net)
    await net.run(session.call('/echo'))
    await net.run(session.call('/echo'))
    const ends = Promise.all([gone(session), gone(peer)])
    await net.run(session.close())
    await net.run(ends)
  },
)

scenario(
  'a peer that is told of a close and closes too',
  ['open > closing', 'closing > closed', 'open > draining', 'draining > closing'],
  async (_, net) => {
    const { server, session, peer } = await couple(net)
    const begun = once()
    server.routeCall('/hold', () => {
      begun.resolve()
      return net.sleep(1000)
    })
    await net.run(session.call('/echo'))
    const held = session.call('/hold')
    await net.run(begun.promise)
    const told = event(session, 'draining')
    const closing = peer.close()
    await net.run(told)
    await net.run(Promise.all([closing, session.close(), held]))
  },
)

scenario('hooks let a connection in, on both sides', ['preparing > open', 'open > closed'], async (_, net) => {
  const plugin = { name: 'patient', afterAccept: () => net.sleep(10), afterDial: () => net.sleep(10) }
  const { session, peer } = await couple(net, { server: { plugins: [plugin] }, client: { plugins: [plugin] } })
  const ends = Promise.all([gone(session), gone(peer)])
  session.destroy()
  await net.run(ends)
})

scenario(
  'a hook refuses a connection, whose other side was done with its own',
  ['preparing > closing', 'closing > closed', 'open > closed'],
  async (_, net) => {
    const refuse = () => {
      throw new StatusError(401, 'who are you?')
    }
    await listening(net, { plugins: [{ name: 'strict', afterAccept: refuse }] })
    const session = await net.run(on(net, 'client').dial('tcp://server:1'))
    if (session.state !== 'closed') await net.run(gone(session))
    await net.advance(5000) // the server's end, which was never announced, closes too
  },
)

scenario('a connection is lost while hooks about it run', ['preparing > closed'], async (_, net) => {
  const begun = once()
  const wait = () => {
    begun.resolve()
    return net.sleep(1000)
  }
  await listening(net, { plugins: [{ name: 'slow', afterAccept: wait }] })
  const dial = status(on(net, 'client', { plugins: [{ name: 'slow', afterDial: wait }] }).dial('tcp://server:1'))
  await net.run(begun.promise)
  for (const link of net.links) link.reset()
  assert.equal((await net.run(dial))[0], 105)
})

scenario(
  'a connection that is lost is redialled, and the session goes on at both ends',
  ['open > redialing', 'redialing > open', 'open > disconnected', 'disconnected > open', 'open > closed'],
  async (_, net) => {
    const { session, peer } = await acquainted(net)
    const back = Promise.all([event(session, 'redialed'), event(peer, 'resumed')])
    for (const link of net.links) link.reset()
    await net.run(back)
    assert.equal(await net.run(session.call('/echo', 1)), 1)
    assert.deepEqual([session.state, peer.state], ['open', 'open'])
  },
)

scenario(
  'a peer comes back that was not missed yet',
  ['open > redialing', 'redialing > open', 'open > disconnected', 'disconnected > open', 'open > closed'],
  async (_, net) => {
    const { session, peer } = await acquainted(net)
    const missed = event(peer, 'disconnected')
    const back = Promise.all([event(session, 'redialed'), event(peer, 'resumed')])
    for (const link of net.links) link.drop() // neither side is told
    session.destroy('silence')
    const [error] = await net.run(missed)
    assert.match(String(error.cause), /another connection/)
    await net.run(back)
    assert.deepEqual([session.state, peer.state], ['open', 'open'])
  },
)

scenario(
  'both ends of a lost connection give up',
  ['open > redialing', 'redialing > closed', 'open > disconnected', 'disconnected > closed'],
  async (_, net) => {
    const { session, peer } = await acquainted(net, {
      server: { limits: { resumeTimeout: 1000 } },
      client: { redial: { ...redial, times: 3 } },
    })
    net.partition('client', 'server')
    const ends = Promise.all([gone(session), gone(peer)])
    for (const link of net.links) link.reset()
    await net.run(ends)
  },
)

scenario('a user closes a session that redials', ['open > redialing', 'redialing > closed', 'open > closed'], async (_, net) => {
  const { session, peer } = await couple(net, { client: { redial }, server: { extensions: false } })
  const lost = Promise.all([event(session, 'redialing'), gone(peer)])
  net.host('server').crash()
  await net.run(lost)
  await net.run(session.close())
})

scenario(
  'a server closes, and its client redials the next one',
  ['open > closing', 'closing > closed', 'open > draining', 'draining > redialing', 'redialing > open'],
  async (_, net) => {
    const { server, session } = await acquainted(net)
    const lost = event(session, 'redialing')
    await net.run(server.close())
    await net.run(lost)
    const back = event(session, 'redialed')
    await listening(net)
    await net.run(back)
  },
)

scenario(
  'a session whose age is over reconnects when it has nothing to do',
  ['open > draining', 'draining > redialing', 'redialing > open', 'open > disconnected', 'disconnected > open', 'open > closed'],
  async (_, net) => {
    const { session, peer } = await acquainted(net, { client: { redial, sessionAge: 5000 } })
    const back = Promise.all([event(session, 'redialed'), event(peer, 'resumed')])
    await net.run(back)
    assert.deepEqual([session.state, peer.state], ['open', 'open'])
  },
)

scenario(
  'a session without redial closes when its age is over',
  ['open > closing', 'closing > closed', 'open > closed'],
  async (_, net) => {
    const { session, peer } = await couple(net, { server: { extensions: false } })
    session.setAge(1000)
    await net.run(Promise.all([gone(session), gone(peer)]))
  },
)

scenario(
  'a peer that said it would close comes back for its session on another connection',
  ['open > draining', 'draining > disconnected', 'disconnected > open', 'open > closed'],
  async (_, net) => {
    const server = await listening(net)
    const accepted = event(server, 'session') as Promise<[Session]>
    const ask = async (body: unknown): Promise<{ peer: RawPeer; token: string }> => {
      const peer = new RawPeer((await net.run(net.host('client').connect('tcp://server:1'))) as Socket)
      peer.send(frame({ seq: 1, type: 1, method: '/dmicro/resume', meta: '{"X-Dmicro":"1;hop=1"}', body: JSON.stringify(body) }))
      await net.run(peer.received(2)) // its hello, and the reply
      const reply = peer.frames.find(({ type }) => type === 2)
      return { peer, token: JSON.parse(reply?.body ?? '{}').token }
    }
    const { peer, token } = await ask({})
    const [session] = await net.run(accepted)
    const told = event(session, 'draining')
    peer.send(frame({ seq: 2, type: 3, method: '/dmicro/drain', body: '1000' }))
    await net.run(told)
    const back = event(session, 'resumed')
    assert.equal((await ask({ token, received: 0, from: 1, settled: 1 })).token, token)
    await net.run(back)
    assert.equal(session.state, 'open')
  },
)

test('together they take every transition of the table, and no other', () => {
  const arrows = Object.entries(sessionStates).flatMap(([state, { next }]) => next.map((other) => `${state} > ${other}`))
  assert.deepEqual([...shown].sort(), arrows.sort())
  assert.deepEqual([...takenEver].sort(), arrows)
})
