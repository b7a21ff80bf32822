// Serves the contract to programs and to pages: node examples/contract/web.mjs [port], and open what it prints last. The page
// is bundled by esbuild: npm install esbuild.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { Endpoint, heartbeatPing } from 'dmicro'
import { build } from 'esbuild'
import { Shop } from './contract.mjs'
import { openShop } from './shop.mjs'

const server = new Endpoint({ plugins: [heartbeatPing({ interval: 25_000 })] })
server.serve(Shop, openShop(), { describe: true })
const listener = await server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'http'] })
console.log(listener.url)

const page = await build({
  entryPoints: [fileURLToPath(new URL('page.mjs', import.meta.url))],
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  write: false,
})
const files = {
  '/': ['text/html', await readFile(new URL('page.html', import.meta.url))],
  '/page.js': ['text/javascript', page.outputFiles[0].contents],
}
const http = createServer(({ url }, response) => {
  const [type, content] = files[url] ?? ['text/plain', 'there is no such file']
  response.writeHead(url in files ? 200 : 404, { 'Content-Type': `${type}; charset=utf-8` }).end(content)
})
http.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const origin = `http://127.0.0.1:${http.address().port}`
  http.on(
    'upgrade',
    (request, socket, head) => void server.upgrade(request, socket, head, { websocket: { path: '/rpc', origins: [origin] } }),
  )
  console.log(origin)
})
