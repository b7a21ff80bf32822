// dmicro as a driver, on either transport. DMICRO_DIST names the build to measure; default is the working tree's.
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const dist = process.env.DMICRO_DIST ?? fileURLToPath(new URL('../../dist', import.meta.url))
const { bytes, Endpoint, pushAll = pushEach } = await import(pathToFileURL(resolve(dist, 'index.js')).href)

const ECHO = '/bench/echo'
const PUSH = '/bench/push'
const PUSHED = '/bench/pushed'
const PUBLISHED = '/bench/published'

/** For builds without `pushAll` (bench:compare). */
function pushEach(sessions, method, value) {
  for (const session of sessions) session.push(method, value)
}

/** `--routes N` spreads the calls over N routes. */
const routeName = (n) => (n === 0 ? ECHO : `${ECHO}-${n}`)

/**
 * @param {'native' | 'js'} transport
 * @param {() => Promise<object>} [more] further options of the server, and `listening`, which is called then
 */
export function dmicro(transport, more) {
  let client
  let tls
  return { serve: async (options) => serve(transport, options, await more?.()), dial }

  async function dial(address, options) {
    client ??= new Endpoint(endpointOptions(transport, options))
    const { scheme = 'tcp', certificate, kcp } = options
    // The same object for all: they share what it holds.
    if (scheme === 'tls' || scheme === 'quic') tls ??= { ca: certificate.ca }
    const session = await client.dial(`${scheme}://${address}`, { ...(tls && { tls }), ...(kcp && { kcp }) })
    const how = callOptions(options)
    return {
      call: options.routes > 1 ? callInTurn(session, options.routes) : (value) => session.call(ECHO, value, how),
      push: (value) => session.push(PUSH, value),
      pushed: () => session.call(PUSHED),
      close: () => session.close(),
    }
  }
}

/** The message of each payload that is one: its file and its name there. */
const messages = {
  'bench-protobuf': { file: 'benchmark.proto', name: 'benchmark.BenchmarkMessage' },
  'object-protobuf': { file: 'object.proto', name: 'object.Object' },
}

/** The classes of a payload's message: of dmicro's own protobufjs, as another copy's are slower. */
function messageTypes(payload) {
  const { file, name } = messages[payload.name]
  const { Root } = createRequire(resolve(dist, 'index.js'))('protobufjs')
  const path = fileURLToPath(new URL(`../${file}`, import.meta.url))
  const type = new Root().loadSync(path, { keepCase: true }).lookupType(name)
  return { arg: type.ctor, result: type.ctor }
}

/** Of both ends; undefined where the body's own codec says all. */
function typesOf({ codec, payload }) {
  if (codec === 'protobuf') return messageTypes(payload)
  return codec === 'bytes' ? { arg: bytes, result: bytes } : undefined
}

function callOptions(options) {
  const { codec } = options
  // Bytes pass every codec as they are, the default one too.
  return codec === 'json' ? undefined : { ...(codec !== 'bytes' && { codec }), ...typesOf(options) }
}

function endpointOptions(transport, { busyPoll, ioThreads, protocol }) {
  return {
    transport,
    ...(busyPoll !== undefined && { busyPoll }),
    ...(ioThreads !== undefined && { ioThreads }),
    // Not named where it is the default: builds that know no other are measured too (bench:compare).
    ...(protocol !== 'raw' && { protocol }),
  }
}

const listenOptions = ({ reusePort, protocol, certificate, kcp }) => ({
  ...(kcp && { kcp }),
  ...(certificate !== undefined && { tls: { key: certificate.key, cert: certificate.cert } }),
  ...(reusePort && { reusePort }),
  ...(protocol !== 'raw' && { protocols: [protocol] }),
})

async function serve(transport, options, { listening, ...more } = {}) {
  const endpoint = new Endpoint({ ...endpointOptions(transport, options), ...more })
  let pushes = 0
  const types = typesOf(options)
  for (let i = 0; i < (options.routes ?? 1); i++) endpoint.routeCall(routeName(i), (body) => body, types)
  endpoint.routePush(PUSH, () => {
    pushes++
  })
  endpoint.routeCall(PUSHED, () => pushes)
  const listener = await endpoint.listen(`${options.scheme ?? 'tcp'}://${options.host}:${options.port}`, listenOptions(options))
  await listening?.()
  return {
    address: new URL(listener.url).host,
    publish(value) {
      pushAll(endpoint.sessions(), PUBLISHED, value)
    },
  }
}

function callInTurn(session, routes) {
  const names = Array.from({ length: routes }, (_, n) => routeName(n))
  let next = 0
  return (value) => session.call(names[next++ % routes], value)
}
