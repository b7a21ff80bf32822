// A plugin in 15 lines, to copy: it counts calls, and refuses those of a session that calls too often.
// Run it with: node examples/plugin/counting.mjs
import { Endpoint, StatusError } from 'dmicro'

/** @returns {import('dmicro').Plugin} */
function atMost(limit) {
  const counts = new WeakMap() // an entry goes with its session
  return {
    name: 'at-most', // any of the 27 hooks may follow; there is no class to extend
    afterReadCallHeader(message) {
      const count = (counts.get(message.session) ?? 0) + 1
      counts.set(message.session, count)
      if (count > limit) throw new StatusError(429, 'Too Many Requests', `${limit} are enough`) // the caller gets this; no handler runs
    },
    beforeWriteReply(message) {
      message.meta.count = String(counts.get(message.session)) // travels beside every reply
    },
  }
}

const server = new Endpoint({ plugins: [atMost(2)] })
server.routeCall('/hello', (name) => `hello ${name}`)
const { url } = await server.listen('tcp://127.0.0.1:0')

const client = new Endpoint()
const session = await client.dial(url)
for (const name of ['ann', 'bob', 'eve']) {
  const reply = session.callReply('/hello', name)
  await reply.then(
    ({ body, meta }) => console.log(`call ${meta.count} -> ${body}`),
    (e) => console.log(`refused -> ${e.code} ${e.message} (${e.cause})`),
  )
}
await client.close()
await server.close()
