import { dialHttp, ECHO, JSON_TYPE } from '../peers/http-client.mjs'
import { listen, uWS } from '../peers/uws.mjs'

export const label = 'uWebSockets.js HTTP'
export const payloads = ['json']
export const protocols = ['http']
export const dial = dialHttp

/** Reads bodies as its own examples do: a part is only valid until the handler returns. */
export async function serve({ port }) {
  const app = uWS.App()
  app.post(ECHO, (response) => {
    let begun
    response.onAborted(() => {})
    response.onData((part, isLast) => {
      const bytes = Buffer.from(part)
      if (!isLast) begun = Buffer.concat(begun === undefined ? [bytes] : [begun, bytes])
      else answer(response, begun === undefined ? bytes : Buffer.concat([begun, bytes]))
    })
  })
  return { address: await listen(app, port) }
}

function answer(response, bytes) {
  let value
  try {
    value = JSON.parse(bytes.utf8Slice())
  } catch {
    response.close() // not JSON
    return
  }
  response.writeHeader('Content-Type', JSON_TYPE).end(JSON.stringify(value))
}
