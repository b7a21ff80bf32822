// Closed-loop client on bare node:net: a promise per call, replies matched by order alone.
// node client.mjs --port N [--host H] [--connections 1] [--in-flight 64] [--seconds 5] [--warmup 1] [--body-bytes 64]

import { connect } from 'node:net'
import { parseArgs } from 'node:util'
import { frameReader, frameWriter, Kind } from './frames.mjs'

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    host: { type: 'string', default: '127.0.0.1' },
    connections: { type: 'string', default: '1' },
    'in-flight': { type: 'string', default: '64' },
    seconds: { type: 'string', default: '5' },
    warmup: { type: 'string', default: '1' },
    'body-bytes': { type: 'string', default: '64' },
  },
})
const connections = count('connections')
const inFlight = count('in-flight')
const bodyBytes = count('body-bytes', 2) // the two quotes

let calls = 0

/** Opens a connection; resolves to a function that sends a body and resolves to its echo. */
async function open() {
  // A ring of resolvers: exactly `inFlight` calls can wait.
  const waiting = new Array(inFlight).fill(null)
  let asked = 0
  let answered = 0
  const wait = (resolve) => {
    waiting[asked++ % inFlight] = resolve
  }
  const read = frameReader((body) => {
    waiting[answered++ % inFlight](body)
  })
  const buffer = Buffer.allocUnsafeSlow(64 * 1024)
  const socket = connect({
    host: values.host,
    port: count('port'),
    noDelay: true,
    // One receive buffer for ever: frames are decoded before it is read into again.
    onread: {
      buffer,
      callback(size) {
        read(buffer.subarray(0, size))
        return true
      },
    },
  })
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  socket.on('error', fail).on('close', () => fail(new Error('the server closed the connection')))

  const writer = frameWriter(socket)
  let flushing = false
  const flush = () => {
    flushing = false
    writer.flush()
  }
  return (body) => {
    writer.add(body, Kind.Call)
    // After all calls that this turn's replies give rise to.
    if (!flushing) {
      flushing = true
      process.nextTick(flush)
    }
    return new Promise(wait)
  }
}

async function callInLoop(call, body) {
  for (;;) {
    const reply = await call(body)
    if (reply !== body) fail(new Error(`wrong reply: ${JSON.stringify(reply)} for ${JSON.stringify(body)}`))
    calls++
  }
}

function count(name, least = 1) {
  const value = Number(values[name])
  if (!Number.isInteger(value) || value < least) fail(new Error(`--${name} must be a whole number from ${least}`))
  return value
}

function fail(error) {
  process.stderr.write(`net-baseline client: ${error.message}\n`)
  process.exit(1)
}

function pause(seconds) {
  return new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1000))
}

/** A JSON string of `bodyBytes` bytes with its quotes, different for each loop. */
function bodyFor(loop) {
  return String(loop)
    .padEnd(bodyBytes - 2, 'abcdefghijklmnopqrstuvwxyz')
    .slice(0, bodyBytes - 2)
}

const opened = await Promise.all(Array.from({ length: connections }, open)).catch(fail)
opened.forEach((call, connection) => {
  for (let i = 0; i < inFlight; i++) callInLoop(call, bodyFor(connection * inFlight + i))
})

await pause(values.warmup)
const before = { calls, time: process.hrtime.bigint(), cpu: process.cpuUsage() }
await pause(values.seconds)
const done = calls - before.calls
const seconds = Number(process.hrtime.bigint() - before.time) / 1e9
const cpu = process.cpuUsage(before.cpu)
if (done === 0) fail(new Error('the server answered no call in the measured window'))
process.stdout.write(
  `${JSON.stringify({
    connections,
    in_flight: inFlight,
    body_bytes: bodyBytes,
    seconds: Number(seconds.toFixed(3)),
    calls: done,
    calls_per_second: Math.round(done / seconds),
    client_cpu_us_per_call: Number(((cpu.user + cpu.system) / done).toFixed(4)),
  })}\n`,
  () => process.exit(0),
)
