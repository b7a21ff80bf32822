import fastify from 'fastify'
import { dialHttp, ECHO, JSON_TYPE } from '../peers/http-client.mjs'

export const label = 'Fastify'
export const payloads = ['json']
export const protocols = ['http']
export const dial = dialHttp

const BACKLOG = 4096

export async function serve({ port, payload }) {
  const app = fastify({ logger: false })
  // Fastify takes a string for a body that is ready to be sent, so a string is encoded here.
  const answer =
    typeof payload.value === 'string'
      ? (request, reply) => void reply.type(JSON_TYPE).send(JSON.stringify(request.body))
      : (request, reply) => void reply.send(request.body)
  app.post(ECHO, answer)
  await app.listen({ port, host: '127.0.0.1', backlog: BACKLOG })
  return { address: `127.0.0.1:${app.server.address().port}` }
}
