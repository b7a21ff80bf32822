import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

/** A process in which nothing has loaded a protocol but the upgrade itself. */
const program = (protocol: string): string => `
import { createServer } from 'node:http'
import { WebSocket } from 'ws'
import { Endpoint } from './src/index.ts'
let accept
const accepted = new Promise((resolve) => { accept = resolve })
const endpoint = new Endpoint({ log: false, transport: 'js', plugins: [{ name: 'accepted', afterAccept: () => accept() }] })
const server = createServer().on('upgrade', (...args) => endpoint.upgrade(...args, { protocols: ['raw', '${protocol}'], websocket: { origins: '*' } }))
server.listen(0, '127.0.0.1', () => new WebSocket('ws://127.0.0.1:' + server.address().port, 'dmicro.${protocol}').on('error', () => {}))
await accepted
console.log('accepted', endpoint.sessionCount)
process.exit(0)
`

for (const protocol of ['json', 'jsonrpc']) {
  test(`an upgrade loads its protocols: ${protocol} is the first of a process`, { timeout: 20_000 }, async () => {
    const run = promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program(protocol)], {
      timeout: 15_000,
    })
    assert.equal((await run).stdout, 'accepted 1\n')
  })
}
