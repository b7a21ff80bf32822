// Sends the lines of its standard input to the chat and prints those of others.
// Run it with: node examples/chat/client.mjs url name
import { createInterface } from 'node:readline'
import { Endpoint } from 'dmicro'

const [, , url, name] = process.argv
const client = new Endpoint()
client.routePush('/chat/line', (line) => console.log(line))

const session = await client.dial(url)
session.once('close', (reason) => {
  if (reason !== undefined) console.log(`the server is gone: ${reason.cause}`)
  process.exit()
})

const present = await session.call('/chat/join', name).catch((error) => {
  console.error(error.message, error.cause)
  process.exit(1)
})
console.log(`here: ${present.join(', ')}`)

const input = createInterface({ input: process.stdin })
input.on('line', (text) => session.push('/chat/say', text))
input.on('close', () => client.close())
