// A CALL with hooks on the server, without sockets: Session, Dispatcher, codec and handler over a connection that drops what it is given. The hooks are
// those of a CALL's whole way, and count; the last five return promises, so that a message waits five times.
import assert from 'node:assert/strict'
import { measure, report } from './measure.mjs'
import { load } from './modules.mjs'

const { Dispatcher } = await load('endpoint/dispatcher')
const { Incoming, MessageType, TextHint } = await load('message/message')
const { internName } = await load('message/names')
const { httpName } = await load('message/naming')
const { readOptions } = await load('session/options')
const { PluginContainer } = await load('hooks/plugin')
const { RouteGroup, Router } = await load('endpoint/router')
const { startSession } = await load('session/session')
const { newStats } = await load('overload/endpoint-stats')
const { TimerWheel } = await load('base/time/timer-wheel')
const { SendResult } = await load('transports/transport')

const METHOD = '/bench/echo'
const BATCH = 1_000
const text = 'x'.repeat(62)
const buffer = Buffer.from(`"${text}"`)
const route = internName(METHOD)
const names = ['afterReadCallHeader', 'beforeReadCallBody', 'afterReadCallBody', 'beforeWriteReply', 'afterWriteReply']
/** Written out, as five functions of five plugins would be. */
const plugins = {
  none: () => [],
  sync: (counts) => [
    {
      name: 'sync',
      afterReadCallHeader: () => void counts[0]++,
      beforeReadCallBody: () => void counts[1]++,
      afterReadCallBody: () => void counts[2]++,
      beforeWriteReply: () => void counts[3]++,
      afterWriteReply: () => void counts[4]++,
    },
  ],
  async: (counts) => [Object.fromEntries([['name', 'async'], ...names.map((name, i) => [name, async () => void counts[i]++])])],
}

/** `run` delivers BATCH calls and returns, or resolves to, the number of their replies. */
function serverWith(kind) {
  const counts = names.map(() => 0)
  const settings = readOptions({ log: false, limits: { maxRunning: BATCH } })
  const container = new PluginContainer(plugins[kind](counts))
  const router = new Router(httpName, container, () => {})
  new RouteGroup(router).routeCall(METHOD, (value) => value)
  const wheel = new TimerWheel()
  const dispatcher = new Dispatcher(settings, router, wheel, newStats(), {})
  const owner = {
    settings,
    hooks: container.hooks,
    wheel,
    onRequest: (session, message) => dispatcher.dispatch(session, message),
  }
  let sent = 0
  let received = 0
  let paused = false
  let done = () => {}
  const connection = {
    envelope: undefined,
    localAddress: '',
    remoteAddress: '',
    handler: undefined,
    send({ body }) {
      if (body !== text) throw new Error('wrong reply')
      if (++sent === BATCH) done()
      return SendResult.Ok
    },
    pauseReading() {
      paused = true
    },
    resumeReading() {
      paused = false
      deliver()
    },
  }
  startSession(owner, connection, { id: 'bench', protocol: 'raw', extensible: false, preparing: false, redial: undefined })
  const message = new Incoming()
  /** As a connection does, until it is paused. */
  const deliver = () => {
    while (!paused && received < BATCH) {
      message.type = MessageType.Call
      message.seq = received++
      message.route = route
      message.codec = settings.codec.id
      message.hint = TextHint.Quoted
      message.buffer = buffer
      message.bodyEnd = buffer.length
      connection.handler.onMessage(message)
    }
  }
  const sync = () => {
    sent = received = 0
    deliver()
    return sent
  }
  const async = () => {
    const all = new Promise((resolve) => {
      done = () => resolve(sent)
    })
    sync()
    return all
  }
  const run = kind === 'async' ? async : sync
  return { run, counts }
}

for (const [kind, label] of [
  ['none', 'no hooks'],
  ['sync', 'five hooks'],
  ['async', 'five hooks that return promises'],
]) {
  const { run, counts } = serverWith(kind)
  assert.equal(await run(), BATCH)
  if (kind !== 'none') {
    await new Promise(setImmediate)
    assert.deepEqual(counts, Array(names.length).fill(BATCH))
  }
  await measure('hooks', `a call, ${label}`, BATCH, { js: run })
}
report()
