import { ServiceBroker } from 'moleculer'

export const label = 'Moleculer TCP'
export const payloads = ['json']

const SERVER = 'server'
const DISCOVERY_MS = 8_000

/** Nothing but what a call needs. */
function broker(nodeID, tcp) {
  return new ServiceBroker({
    nodeID,
    logger: false,
    transporter: { type: 'TCP', options: { udpDiscovery: false, useHostname: false, ...tcp } },
    serializer: 'JSON',
    validator: false,
    internalServices: false,
  })
}

/** Parameters are an object by Moleculer's rules: an object is them, anything else is one of them. */
const isObject = ({ value }) => typeof value === 'object'

export async function serve({ port, payload }) {
  let pushes = 0
  const server = broker(SERVER, { port: port === 0 ? null : port })
  server.createService({
    name: 'bench',
    actions: { echo: isObject(payload) ? ({ params }) => params : ({ params }) => params.value, pushed: () => pushes },
    events: {
      'bench.push': () => {
        pushes++
      },
    },
  })
  await server.start()
  return { address: `127.0.0.1:${server.transit.tx.opts.port}` }
}

let dialled = 0

/** Each connection is a node of its own, as Moleculer has one connection between two nodes. It is found by the first gossip. */
export async function dial(address, { payload }) {
  const client = broker(`client-${process.pid}-${dialled++}`, { urls: [`${address}/${SERVER}`], gossipPeriod: 1 })
  await client.start()
  await client.waitForServices('bench', DISCOVERY_MS, 10)
  return {
    call: isObject(payload) ? (value) => client.call('bench.echo', value) : (value) => client.call('bench.echo', { value }),
    push: (value) => client.emit('bench.push', value),
    pushed: () => client.call('bench.pushed'),
    close: () => client.stop(),
  }
}
