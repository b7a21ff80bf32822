// A chat of pages: lines are numbered and kept in a file, so that a page that was away asks for what it lacks.
// Run it with: node examples/browser/server.mjs [port] [file], and open what it prints in two windows.
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { Endpoint, heartbeatPing, pushAll } from 'dmicro'

const [, , port = '8080', file = 'chat.txt'] = process.argv
const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []

const chat = new Endpoint({ plugins: [heartbeatPing({ interval: 25_000 })] })
chat.routeCall('/chat/since', (number) => lines.slice(number))
chat.routeCall('/chat/say', (text) => {
  const line = String(text).slice(0, 1000).replaceAll('\n', ' ')
  appendFileSync(file, `${line}\n`)
  lines.push(line)
  pushAll(chat.sessions(), '/chat/line', { number: lines.length - 1, line })
})

const files = {
  '/': ['text/html', new URL('page.html', import.meta.url)],
  '/dmicro.js': ['text/javascript', new URL(import.meta.resolve('dmicro/browser'))],
}
const http = createServer(async ({ url }, response) => {
  const [type, path] = files[url] ?? []
  response.writeHead(path ? 200 : 404, { 'Content-Type': `${type ?? 'text/plain'}; charset=utf-8` })
  response.end(path && (await readFile(path)))
})
http.listen(Number(port), '127.0.0.1', () => {
  const origin = `http://127.0.0.1:${http.address().port}`
  const websocket = { path: '/rpc', origins: [origin] }
  http.on('upgrade', (request, socket, head) => void chat.upgrade(request, socket, head, { websocket }))
  console.log(origin)
})
