import { Endpoint, StatusError } from 'dmicro'

const server = new Endpoint({ transport: process.argv[2] })
server.routeCall('/math/add', (numbers) => numbers.reduce((a, b) => a + b, 0))
server.routeCall('/shop/buy', (item) => {
  throw new StatusError(1001, 'out of stock', `no ${item} left`)
})
server.routeCall('/slow', () => new Promise(() => {}))
server.routeCall('/ask/me', (question, ctx) => ctx.session.call('/answer', question))
server.routePush('/chat/say', (text, ctx) => ctx.session.push('/chat/echo', `you said ${text}`))

const { url } = await server.listen('tcp://127.0.0.1:0')
console.log(url)
process.stdin.on('end', () => server.close()).resume()
