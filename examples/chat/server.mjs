// A chat: what one client says is pushed to all others. Run it with: node examples/chat/server.mjs [url]
import { Endpoint, StatusError } from 'dmicro'

const server = new Endpoint()
const names = new Map()

server.routeCall('/chat/join', (name, { session }) => {
  if ([...names.values()].includes(name)) throw new StatusError(1001, 'taken', `${name} is here already`)
  names.set(session, name)
  session.once('close', () => {
    names.delete(session)
    broadcast(`${name} left`)
  })
  broadcast(`${name} came`, session)
  return [...names.values()]
})

server.routePush('/chat/say', (text, { session }) => {
  if (names.has(session)) broadcast(`${names.get(session)}: ${text}`, session)
})

/** A push waits for no reply: a client that is gone or does not read loses its own lines and delays no other. */
function broadcast(line, except) {
  for (const session of names.keys()) if (session !== except) session.push('/chat/line', line)
}

const { url } = await server.listen(process.argv[2] ?? 'tcp://127.0.0.1:0')
console.log(url)
process.once('SIGTERM', () => server.close())
