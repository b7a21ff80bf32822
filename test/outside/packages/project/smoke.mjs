// Loads every entry of the package both ways, serves, calls, and writes what runs here.
import { createRequire } from 'node:module'
import { Endpoint } from 'dmicro'
import { call, defineService } from 'dmicro/contract'

const require = createRequire(import.meta.url)
const { exports } = require('dmicro/package.json')
const entries = Object.keys(exports).filter((name) => !/package\.json|browser|tracing/.test(name))
const lacking = []
for (const entry of entries) {
  const name = `dmicro${entry.slice(1)}`
  const [imported, required] = [await import(name), process.argv.includes('--no-require') ? undefined : require(name)]
  if (Object.keys(imported).length === 0) lacking.push(`${name} exports nothing`)
  for (const key of Object.keys(imported))
    if (required && required[key] !== imported[key]) lacking.push(`${name}: ${key} of require is another one`)
}
// It needs a package that is optional, and says so.
const untraced = await import('dmicro/tracing').then(
  () => 'loaded',
  (error) => /@opentelemetry\/api/.test(error.message) || error,
)
if (untraced !== true) lacking.push(`dmicro/tracing: ${untraced}`)
const text = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => (typeof value === 'string' ? { value } : { issues: [{ message: 'no text' }] }),
  },
}
const Hello = defineService('hello', { say: call(text, text) })
const server = new Endpoint({ log: false })
server.serve(Hello, { say: (name) => `hello ${name}` })
const { url } = await server.listen('tcp://127.0.0.1:0')
const client = new Endpoint({ log: false })
const session = await client.dial(url)
const said = await session.client(Hello).say('ann')
const refused = await session.call('/hello/say', 7).catch(({ code }) => code)
await client.close()
await server.close()
console.log(
  JSON.stringify({ entries: entries.length, lacking, said, refused, kind: server.transport.kind, reason: server.transport.reason }),
)
