// Calls without end while its server is replaced: no call fails. Run it with: node examples/restart/client.mjs url
import { setTimeout } from 'node:timers/promises'
import { Endpoint } from 'dmicro'

const client = new Endpoint({ redial: { minDelay: 10, maxDelay: 500 } })
const session = await client.dial(process.argv[2])

// The server announces that it closes. From then on calls wait for the next server, within their deadline.
for (const event of ['draining', 'redialing', 'redialed']) session.on(event, () => console.log(event))

let answered = 0
let failed = 0
let stopped = false
process.stdin.on('end', () => {
  stopped = true
})
process.stdin.resume()

async function worker(first) {
  for (let n = first; !stopped; n += 10) {
    await session.call('/work', n).then(
      (result) => ++answered % 100 === 0 && console.log(result),
      (error) => console.log(`failure ${++failed}: ${error.message}`),
    )
    await setTimeout(1)
  }
}

await Promise.all(Array.from({ length: 10 }, (_, first) => worker(first)))
console.log(`${answered} answered, ${failed} failed`)
await client.close()
