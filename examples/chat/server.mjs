// A chat: what one client says is pushed to all others. node examples/chat/server.mjs [url]
import { Endpoint, StatusError } from 'dmicro'

const server = new Endpoint()
const names = new Map()

server.routeCall('/chat/join', (name, { session }) => {
  if ([...names.values()].includes(name)) throw new StatusError(1001, 'taken', `${name} is here already`)
  names.set(session, name)
  session.once('close', () => {
    names.delete(session)
    tell(`${name} left`)
  })
  tell(`${name} came`, session)
  return [...names.values()]
})

server.routePush('/chat/say', (text, { session }) => {
  if (names.has(session)) tell(`${names.get(session)}: ${text}`, session)
})

/** Pushes cost no reply: a client that is gone or does not read loses its own lines, nobody else's. */
function tell(line, except) {
  for (const session of names.keys()) if (session !== except) session.push('/chat/line', line)
}

const { url } = await server.listen(process.argv[2] ?? 'tcp://127.0.0.1:0')
console.log(url)
process.once('SIGTERM', () => server.close())
