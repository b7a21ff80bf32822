import { Endpoint } from 'dmicro'

const [, , url, transport] = process.argv
const client = new Endpoint({ transport })
const echoed = new Promise((resolve) => client.routePush('/chat/echo', resolve))
client.routeCall('/answer', (question) => `${question} 42.`)

const session = await client.dial(url)
console.log('call /math/add [1,2,3]    ->', await session.call('/math/add', [1, 2, 3]))
console.log('the server calls us back  ->', await session.call('/ask/me', 'What is six times seven?'))
await session.push('/chat/say', 'hi')
console.log('push, pushed back         ->', await echoed)
await session.call('/shop/buy', 'tea').catch((e) => console.log('a typed error             ->', e.code, e.message, `(${e.cause})`))
await session.call('/slow', null, { timeout: 100 }).catch((e) => console.log('no reply within 100 ms    ->', e.code, e.message))
await client.close()
