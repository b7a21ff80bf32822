import { Agent, request } from 'node:http'
import fastify from 'fastify'

export const label = 'Fastify'
export const payloads = ['json']
export const protocols = ['http']

const BACKLOG = 4096
const JSON_TYPE = 'application/json; charset=utf-8'
/** As dmicro's, so that the C++ client sends all servers the same request. */
const ECHO = '/bench/echo'

export async function serve({ port }) {
  const app = fastify({ logger: false })
  // Fastify takes a string for a body that is ready to be sent, so the answer is encoded here.
  app.post(ECHO, (request, reply) => {
    reply.type(JSON_TYPE).send(JSON.stringify(request.body))
  })
  await app.listen({ port, host: '127.0.0.1', backlog: BACKLOG })
  return { address: `127.0.0.1:${app.server.address().port}` }
}

/** A connection has one request in flight: Node's client does not pipeline. */
export async function dial(address) {
  const [host, port] = address.split(':')
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const options = { agent, host, port, path: ECHO, method: 'POST' }
  return {
    call: (value) =>
      new Promise((resolve, reject) => {
        const body = JSON.stringify(value)
        const headers = { 'Content-Type': JSON_TYPE, 'Content-Length': Buffer.byteLength(body) }
        const call = request({ ...options, headers }, (response) => {
          const chunks = []
          response.on('data', (chunk) => chunks.push(chunk)).on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString())))
        })
        call.on('error', reject).end(body)
      }),
    close: () => agent.destroy(),
  }
}
