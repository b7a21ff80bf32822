// Serves the contract, for clients of dmicro and of http on one port: node examples/contract/server.mjs [url]
import { Endpoint } from 'dmicro'
import { Shop } from './contract.mjs'
import { openShop } from './shop.mjs'

const server = new Endpoint()
server.serve(Shop, openShop(), { describe: true })
const listener = await server.listen(process.argv[2] ?? 'tcp://127.0.0.1:0', { protocols: ['raw', 'http'] })
console.log(listener.url)
process.once('SIGTERM', () => server.close())
