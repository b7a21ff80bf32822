// A server that offers what client.mjs checks. Writes where it listens and ends when its standard input does.
import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { aesGcm, brotli, bytes, Endpoint, StatusError } from 'dmicro'
import protobuf from 'protobufjs'
import { key, proto } from './shared.mjs'

const Query = protobuf.parse(proto).root.lookupType('Query')
const store = new AsyncLocalStorage()
const cancelled = []
const server = new Endpoint({ log: false, filters: [brotli(), aesGcm({ keys: { 1: key }, current: 1 })] })
server.routeCall('/echo', (value) => value)
server.routeCall('/bytes', (body) => body, { arg: bytes })
server.routeCall('/query', (query) => ({ id: query.id + 1 }), { arg: Query, result: Query })
server.routeCall('/redis/join', (args) => args.map(String).join(' '))
server.routeCall('/fail', () => {
  throw new StatusError(4711, 'not today', 'it rains')
})
server.routeCall('/broken', () => {
  throw new Error('a secret')
})
server.routeCall('/meta', (_, ctx) => {
  ctx.setMeta('answer', `${ctx.meta.question}!`)
})
server.routeCall('/slow', async (name, ctx) => {
  await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve))
  cancelled.push(name)
})
server.routeCall('/never', () => new Promise(() => {}))
server.routeCall('/cancelled', () => cancelled)
server.routeCall('/context', (name) => store.run(name, () => sleep(1).then(() => store.getStore())))
server.routeCall('/drop', (_, ctx) => void setImmediate(() => ctx.session.destroy()))
server.routeCall('/flood', async (count, ctx) => {
  for (let i = 0; i < count; i++) await ctx.session.push('/drop-of-flood', i)
})
server.routeCall('/ask', (_, ctx) => ctx.session.call('/name'))

const { url } = await server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'http', 'jsonrpc', 'redis'] })
const json = await server.listen('tcp://127.0.0.1:0', { protocols: ['json'] })
const unix = await server.listen(`unix://${process.argv[2]}`)
console.log(JSON.stringify({ url, json: json.url, unix: unix.url, kind: server.transport.kind, reason: server.transport.reason }))
process.stdin.resume()
process.stdin.once('end', async () => {
  await server.close()
  console.log('closed')
})
