import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it } from 'node:test'
import { start, succeed } from '../support/processes.ts'
import { suite } from '../support/suite.ts'
import { EtcdServer } from './servers.ts'
import { versions } from './versions.ts'

const SERVICES = 500
const NODES = 10_000
const CHANGES = 100
const SECONDS = Number(process.env.DMICRO_LOAD_SECONDS ?? 10)

await suite('a client of a large registry in etcd', versions['3.6'], (binary) => {
  it('10,000 nodes of 500 services, 100 changes a second: at most 5 % of a core and 50 MiB', { timeout: 200_000 }, async (t) => {
    const server = await EtcdServer.start(t, binary, ['--unsafe-no-fsync'])
    const words = [SERVICES, NODES, CHANGES].map(String)
    await start(t, process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'load-writer.ts'), String(server.port), ...words])
    const client = ['--expose-gc', '--import', 'tsx', join(import.meta.dirname, 'load-client.ts'), server.endpoint]
    const line = await succeed(process.execPath, [...client, String(SERVICES), String(NODES), String(SECONDS)], { timeout: 120_000 })
    t.diagnostic(line)
    const { changesPerSecond, core, usedMiB } = JSON.parse(line)
    assert.ok(changesPerSecond > CHANGES * 0.9, line)
    assert.ok(core <= 0.05, line)
    assert.ok(usedMiB <= 50, line)
  })
})
