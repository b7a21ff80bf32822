// Each library at its least: a server with one procedure that gives back what it gets, and a client, in one process over loopback.
import { createServer } from 'node:http'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = process.env.DMICRO_DIST ?? fileURLToPath(new URL('../../dist', import.meta.url))
const HOST = '127.0.0.1'

/** @param {'native' | 'js'} transport */
const dmicro = (transport) => ({
  modules: [resolve(dist, 'index.js')],
  async make([{ Endpoint }]) {
    const server = new Endpoint({ transport })
    server.routeCall('/echo', (value) => value)
    const { url } = await server.listen(`tcp://${HOST}:0`)
    const client = new Endpoint({ transport })
    return async (value) => (await client.dial(url)).call('/echo', value)
  },
})

const grpc = {
  modules: ['@grpc/grpc-js'],
  async make([grpc]) {
    // Generated code would come on top of this, and the loader of .proto files even more.
    const serialize = (value) => Buffer.from(value)
    const deserialize = (bytes) => bytes.toString()
    const echo = {
      path: '/Echo/Echo',
      requestStream: false,
      responseStream: false,
      requestSerialize: serialize,
      requestDeserialize: deserialize,
      responseSerialize: serialize,
      responseDeserialize: deserialize,
    }
    const server = new grpc.Server()
    server.addService({ echo }, { echo: ({ request }, answer) => answer(null, request) })
    const bound = await settled((done) => server.bindAsync(`${HOST}:0`, grpc.ServerCredentials.createInsecure(), done))
    const Client = grpc.makeGenericClientConstructor({ echo }, 'Echo')
    const client = new Client(`${HOST}:${bound}`, grpc.credentials.createInsecure())
    return (value) => settled((done) => client.echo(value, done))
  },
}

const moleculer = {
  modules: ['moleculer'],
  async make([{ ServiceBroker }]) {
    const broker = (nodeID, tcp) =>
      new ServiceBroker({
        nodeID,
        logger: false,
        transporter: { type: 'TCP', options: { udpDiscovery: false, useHostname: false, ...tcp } },
        validator: false,
        internalServices: false,
      })
    const server = broker('server', { port: null })
    server.createService({ name: 'bench', actions: { echo: ({ params }) => params.value } })
    await server.start()
    const client = broker('client', { urls: [`${HOST}:${server.transit.tx.opts.port}/server`] })
    return async (value) => {
      await client.start()
      // Its first gossip would be due after a second: what is measured here is work, not that timer.
      client.transit.tx.sendGossipRequest()
      await client.waitForServices('bench', 10_000, 1)
      return await client.call('bench.echo', { value })
    }
  },
}

const socketio = {
  modules: ['socket.io', 'socket.io-client'],
  async make([{ Server }, { io }]) {
    const http = createServer()
    const server = new Server(http, { transports: ['websocket'], serveClient: false })
    server.on('connection', (socket) => socket.on('echo', (value, answer) => answer(value)))
    await listening(http)
    const client = io(`ws://${HOST}:${http.address().port}`, { transports: ['websocket'], autoConnect: false })
    return (value) => client.connect().emitWithAck('echo', value)
  },
}

const trpc = {
  modules: ['@trpc/server', '@trpc/server/adapters/standalone', '@trpc/client'],
  async make([{ initTRPC }, { createHTTPServer }, { createTRPCClient, httpLink }]) {
    const { router, procedure } = initTRPC.create()
    const echo = procedure.input((value) => value).mutation(({ input }) => input)
    const server = createHTTPServer({ router: router({ echo }) })
    await listening(server)
    const client = createTRPCClient({ links: [httpLink({ url: `http://${HOST}:${server.address().port}` })] })
    return (value) => client.echo.mutate(value)
  },
}

/** What is subtracted from all others. */
const bare = { modules: [], make: async () => async (value) => value }

/** By name: the modules to load, and what makes both ends of them and resolves to a function that makes a call. */
export const libraries = { bare, native: dmicro('native'), js: dmicro('js'), 'grpc-js': grpc, moleculer, socketio, trpc }

const settled = (start) => new Promise((resolve, reject) => start((error, value) => (error ? reject(error) : resolve(value))))

const listening = (server) => new Promise((resolve, reject) => server.once('error', reject).listen(0, HOST, resolve))
