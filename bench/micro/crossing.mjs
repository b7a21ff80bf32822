// Outbox and inbox: 1,024 messages at a time from one connection of a transport to another in this process, over a Unix socket,
// without sessions and codecs above them. "one way" is all that a message costs, from `Connection.send` to `onMessage`: packing,
// its part of the kernel's write and read and of the loop's turns, unpacking, route look-up. "outbox alone" is the part
// of it that runs while `send` is called. The kernel's part is the same on both sides.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { measure, report } from './measure.mjs'
import { load, loadAddon } from './modules.mjs'

const { defaultLimits } = await load('base/limits')
const { MessageType } = await load('message/message')
const { internName } = await load('message/names')
const { Outgoing } = await load('message/outgoing')
const { jsonCodec } = await load('codecs/json')
const { SendResult } = await load('transports/transport')
const { NativeTransport } = await load('transports/native')
const { JsTransport } = await load('transports/js')
const addon = await loadAddon()

const COUNT = 1_024
const METHOD = '/bench/push'
const route = internName(METHOD)
const text = 'x'.repeat(62)

const folder = mkdtempSync(join(tmpdir(), 'dmicro-micro-'))
try {
  const pairs = { native: addon && (await pairOf(new NativeTransport(addon, 0), 'native')), js: await pairOf(new JsTransport(), 'js') }
  const sides = (run) => Object.fromEntries(Object.entries(pairs).map(([side, pair]) => [side, pair && (() => run(pair))]))
  for (const pair of Object.values(pairs)) if (pair !== undefined) await pair.check()
  await measure('crossing', '64 B body, one way, kernel included', COUNT, sides(oneWay))
  await measure('crossing', '64 B body, outbox alone', COUNT, sides(outbox))
} finally {
  rmSync(folder, { recursive: true })
}
report()
process.exit(0) // the connections are open

async function oneWay(pair) {
  await pair.push()
  return pair.received
}

async function outbox(pair) {
  return { overriddenDuration: await pair.push() }
}

/** Two connections of one transport. `push` sends COUNT messages and resolves, when all have come, to the milliseconds of sending. */
async function pairOf(transport, name) {
  const address = { kind: 'unix', path: join(folder, name) }
  const pair = { received: 0, push, check }
  let left = 0
  let done
  let look = () => {}
  const message = new Outgoing()
  const handler = {
    onMessage(message) {
      look(message)
      pair.received += message.bodyEnd - message.bodyStart
      if (--left === 0) done()
    },
    onClose(reason, detail) {
      throw new Error(`the ${name} connection closed: ${reason} ${detail}`)
    },
  }
  await transport.listen(address, defaultLimits, (connection) => {
    connection.handler = handler
  })
  const connection = await transport.dial(address, defaultLimits, new AbortController().signal)
  connection.handler = handler
  return pair

  async function push() {
    left = COUNT
    const all = new Promise((resolve) => {
      done = resolve
    })
    const start = performance.now()
    for (let i = 0; i < COUNT; i++) {
      message.head(MessageType.Push, i, route, METHOD, '', '').unencoded(jsonCodec, text)
      if (connection.send(message) !== SendResult.Ok) throw new Error(`${name}: not sent`)
    }
    const sending = performance.now() - start
    await all
    return sending
  }

  async function check() {
    const seen = []
    look = ({ seq, type, route: found, codec, buffer, bodyStart, bodyEnd }) => {
      seen.push(seq)
      assert.deepEqual([type, found, codec], [MessageType.Push, route, jsonCodec.id])
      assert.equal(buffer.toString('utf8', bodyStart, bodyEnd), `"${text}"`)
    }
    await push()
    look = () => {}
    assert.deepEqual(
      seen,
      Array.from({ length: COUNT }, (_, i) => i),
    )
  }
}
