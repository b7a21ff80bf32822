import { fileURLToPath } from 'node:url'
import grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { messageOf } from '../payloads.mjs'

export const label = 'gRPC (grpc-js)'
export const payloads = ['json', 'protobuf']
export const schemes = ['tls']

grpc.setLogVerbosity(grpc.logVerbosity.NONE)
const folder = (path) => fileURLToPath(new URL(path, import.meta.url))
const definition = loadSync(folder('grpc.proto'), {
  keepCase: true,
  longs: Number,
  defaults: true,
  includeDirs: [folder('.'), folder('..')],
})
const { Echo } = grpc.loadPackageDefinition(definition).bench
// Else connections of one process to one address are one.
const CLIENT = { 'grpc.use_local_subchannel_pool': 1 }

export const serve = (options) => serveWith(options, (_, handler) => handler)

/** @param {(method: string, handler: Function) => Function} watched what counts the calls of a handler */
export async function serveWith({ port, certificate }, watched) {
  const server = new grpc.Server()
  const echo = ({ request }, answer) => answer(null, request)
  server.addService(
    Echo.service,
    Object.fromEntries(['EchoText', 'EchoObject', 'EchoMessage'].map((method) => [method, watched(method, echo)])),
  )
  const bound = await new Promise((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${port}`, serverCredentials(certificate), (error, at) => (error ? reject(error) : resolve(at))),
  )
  return { address: `127.0.0.1:${bound}` }
}

export async function dial(address, { payload, certificate }) {
  const client = new Echo(address, clientCredentials(certificate), CLIENT)
  await new Promise((resolve, reject) => client.waitForReady(Date.now() + 10_000, (error) => (error ? reject(error) : resolve())))
  return { call: caller(client, payload), close: () => client.close() }
}

function serverCredentials(certificate) {
  if (certificate === undefined) return grpc.ServerCredentials.createInsecure()
  const { key, cert } = certificate
  return grpc.ServerCredentials.createSsl(null, [{ private_key: Buffer.from(key), cert_chain: Buffer.from(cert) }])
}

const clientCredentials = (certificate) =>
  certificate === undefined ? grpc.credentials.createInsecure() : grpc.credentials.createSsl(Buffer.from(certificate.ca))

function caller(client, { name, kind, value }) {
  if (name === 'object-json') return objectCaller(client)
  if (name === 'object-protobuf') return (message) => unary((answered) => client.EchoObject(message, answered))
  if (kind === 'protobuf') return (message) => unary((answered) => client.EchoMessage(message, answered))
  const text = async (body) => (await unary((answered) => client.EchoText({ body }, answered))).body
  // A text is itself in a string field; anything else goes as JSON.
  return typeof value === 'string' ? text : async (body) => JSON.parse(await text(JSON.stringify(body)))
}

/** Users hold the message that they send: each caller's is made once. */
function objectCaller(client) {
  const messages = new Map()
  return async (value) => {
    let message = messages.get(value)
    if (message === undefined) messages.set(value, (message = messageOf(value)))
    const { list, ...rest } = await unary((answered) => client.EchoObject(message, answered))
    return { ...rest, list: [list.numbers[0], list.lists[0].numbers] }
  }
}

function unary(call) {
  return new Promise((resolve, reject) => call((error, reply) => (error ? reject(error) : resolve(reply))))
}
