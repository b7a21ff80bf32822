// A client of Node for servers that speak HTTP: a connection has one request in flight, as Node's client does not pipeline.
import { Agent, request } from 'node:http'

export const JSON_TYPE = 'application/json; charset=utf-8'
/** As dmicro's, so that the C++ client sends all servers the same request. */
export const ECHO = '/bench/echo'

export async function dialHttp(address) {
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
