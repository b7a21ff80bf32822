// The shop as tools of an agent, which starts this and speaks MCP on stdin and stdout: node examples/contract/mcp.mjs [url]
// With the url of a server the tools call that; without one they call a shop of this process's own.
import { Endpoint } from 'dmicro'
import { serveMcp } from 'dmicro/contract'
import { Shop } from './contract.mjs'
import { openShop } from './shop.mjs'

const endpoint = new Endpoint({ log: false })
let url = process.argv[2]
if (url === undefined) {
  endpoint.serve(Shop, openShop())
  url = (await endpoint.listen('tcp://127.0.0.1:0')).url
}
const session = await endpoint.dial(url)
await serveMcp(Shop, session)
process.stdin.once('close', () => process.exit())
