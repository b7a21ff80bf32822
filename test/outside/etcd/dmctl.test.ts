import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { Authority } from '../../support/certificates.ts'
import { dmctl } from '../../support/dmctl.ts'
import { service } from '../../unit/rpc/registry/contract.ts'
import { suite } from '../support/suite.ts'
import { EtcdServer } from './servers.ts'
import { registryOf } from './support.ts'
import { versions } from './versions.ts'

await suite('dmctl registry with etcd', versions['3.4'], (binary) => {
  it('lists all services, those of one name, and those below a prefix', async (t) => {
    const server = await EtcdServer.start(t, binary)
    const ls = (...args: string[]) => dmctl('registry', 'ls', ...args, '--etcd', server.endpoint)
    assert.equal((await ls()).stdout, 'nothing is registered\n')
    const registry = registryOf(t, server)
    await registry.register(service('math', [9001, 9002]))
    await registry.register(service('shop', [9003]))
    await registryOf(t, server, { prefix: '/test/' }).register(service('hidden', [9004]))
    const rows = (await ls()).stdout.trim().split('\n')
    assert.match(rows[0], /^SERVICE +VERSION +ADDRESS +NODE$/)
    assert.deepEqual(
      rows.slice(1).map((row) => /^(\w+) .*:(\d+) /.exec(row)?.slice(1)),
      [
        ['math', '9001'],
        ['math', '9002'],
        ['shop', '9003'],
      ],
    )
    const { ok, services } = JSON.parse((await ls('shop', '--json')).stdout)
    assert.deepEqual([ok, services.length, services[0].name], [true, 1, 'shop'])
    assert.match((await ls('--prefix', '/test/')).stdout, /^hidden .*:9004 /m)
    assert.equal((await ls('tea')).stdout, 'tea is not registered\n')
    await server.ask('auth/user/add', { name: 'root', password: 'se:cret' })
    await server.ask('auth/role/add', { name: 'root' })
    await server.ask('auth/user/grant', { user: 'root', role: 'root' })
    await server.ask('auth/enable', {})
    assert.match((await ls('shop', '--user', 'root:se:cret')).stdout, /^shop /m)
    const wrong = await ls('--user', 'root:guess')
    assert.deepEqual([wrong.code, wrong.stdout], [3, ''])
    assert.match(wrong.stderr, /^dmctl: the registry does not answer: .*authentication failed.*\n$/)
    await server.kill()
    const gone = await ls('-t', '500')
    assert.deepEqual([gone.code, gone.stdout], [3, ''])
    assert.match(gone.stderr, /^dmctl: the registry does not answer: .*\n$/)
  })

  it('takes the certificate of etcd', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'dmctl-etcd-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const authority = new Authority('etcd tests')
    const own = authority.issue('localhost')
    const file = (name: string): string => join(folder, name)
    for (const [name, pem] of Object.entries({ ca: authority.cert, cert: own.cert, key: own.key })) await writeFile(file(name), pem)
    const server = await EtcdServer.start(t, binary, ['--cert-file', file('cert'), '--key-file', file('key')])
    const ls = (...args: string[]) => dmctl('registry', 'ls', '--etcd', `https://localhost:${server.port}`, '-t', '2000', ...args)
    const stranger = await ls()
    assert.deepEqual([stranger.code, /certificate/.test(stranger.stderr)], [3, true], stranger.stderr)
    assert.deepEqual(await ls('--ca', file('ca')), { code: 0, stdout: 'nothing is registered\n', stderr: '' })
    const tls = { ca: authority.cert }
    await registryOf(t, server, { tls }).register(service('math', [9001]))
    assert.match((await ls('--ca', file('ca'))).stdout, /^math .*:9001 /m)
  })
})
