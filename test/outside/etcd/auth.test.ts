import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { Authority } from '../../support/certificates.ts'
import { service } from '../../unit/rpc/registry/contract.ts'
import { suite } from '../support/suite.ts'
import { EtcdServer } from './servers.ts'
import { eventually, MATH, nodeValue, portsOf, registryOf, Watcher } from './support.ts'
import { versions } from './versions.ts'

const PASSWORD = 'geheim'

/** Makes users: `root`, `writer`, who may do all below the prefix, and `reader`, who may only read there. */
async function enableAuth(server: EtcdServer): Promise<void> {
  const bytes = (text: string): string => Buffer.from(text).toString('base64')
  const range = { key: bytes('/dmicro/registry/'), range_end: bytes('/dmicro/registry0') }
  const roles = { root: undefined, writer: 'READWRITE', reader: 'READ' }
  for (const [name, permType] of Object.entries(roles)) {
    await server.ask('auth/user/add', { name, password: PASSWORD })
    await server.ask('auth/role/add', { name })
    if (permType !== undefined) await server.ask('auth/role/grant', { name, perm: { permType, ...range } })
    await server.ask('auth/user/grant', { user: name, role: name })
  }
  await server.ask('auth/enable', {})
}

async function rootToken(server: EtcdServer): Promise<string> {
  return String((await server.ask('auth/authenticate', { name: 'root', password: PASSWORD })).token)
}

for (const [version, prepare] of Object.entries(versions)) {
  await suite(`etcd ${version} and its users`, prepare, (binary) => {
    const writer = { user: 'writer', password: PASSWORD }

    it('who has no password, or a wrong one, or may not, is told so at once', async (t) => {
      const server = await EtcdServer.start(t, binary)
      await enableAuth(server)
      const began = performance.now()
      await assert.rejects(registryOf(t, server).getService('math'), { code: 503, cause: /user name is empty/ })
      const wrong = registryOf(t, server, { user: 'writer', password: 'wrong' })
      await assert.rejects(wrong.getService('math'), { code: 503, cause: /authentication failed/ })
      const reader = registryOf(t, server, { user: 'reader', password: PASSWORD })
      await assert.rejects(reader.register(service('math', [1])), { code: 503, cause: /permission denied/ })
      assert.deepEqual(await reader.getService('math'), [])
      await assert.rejects(registryOf(t, server, { ...writer, prefix: 'elsewhere' }).getService('math'), { cause: /permission denied/ })
      assert.ok(performance.now() - began < 4_000)
    })

    it('a user does everything, and where etcd wants no users it is no error to be one', async (t) => {
      const server = await EtcdServer.start(t, binary)
      const early = registryOf(t, server, writer)
      await early.register(service('math', [1]), { ttl: 3_000 })
      await enableAuth(server)
      const registry = registryOf(t, server, writer)
      const watcher = new Watcher(t, registry, 'math')
      await watcher.ports(1)
      await registry.register(service('math', [2]))
      await watcher.ports(1, 2)
      await early.deregister(service('math', [1]))
      await watcher.ports(2)
      await registry.deregister(service('math', [2]))
      await watcher.ports()
    })

    it('tokens that a restart makes worthless are replaced, for calls, nodes and watches', async (t) => {
      const server = await EtcdServer.start(t, binary)
      await enableAuth(server)
      const registry = registryOf(t, server, writer)
      const watcher = new Watcher(t, registry, 'math')
      await registry.register(service('math', [1]), { ttl: 3_000 })
      await watcher.ports(1)
      for (const end of ['stop', 'kill'] as const) {
        await server[end]()
        await server.start()
        const token = await rootToken(server)
        await server.ask(
          'kv/put',
          { key: Buffer.from(`${MATH}math-127.0.0.1:2`).toString('base64'), value: Buffer.from(nodeValue('math', 2)).toString('base64') },
          token,
        )
        await watcher.ports(1, 2)
        await registry.register(service('math', [3]))
        await watcher.ports(1, 2, 3)
        await registry.deregister(service('math', [3]))
        await watcher.ports(1, 2)
        await registry.deregister(service('math', [2]))
        await watcher.ports(1)
      }
      assert.equal(watcher.error, undefined)
    })

    it('tokens that expire are replaced', { skip: version === '3.4' && 'there they live 5 minutes' }, async (t) => {
      const server = await EtcdServer.start(t, binary, ['--auth-token-ttl', '1'])
      await enableAuth(server)
      const registry = registryOf(t, server, writer)
      const watcher = new Watcher(t, registry, 'math')
      await registry.register(service('math', [1]), { ttl: 9_000 })
      await watcher.ports(1)
      const began = performance.now()
      await eventually(() => performance.now() - began > 5_000, 'tokens have expired')
      // The watch of before goes on, a new one and everything else need another token.
      await registry.register(service('math', [2]))
      await watcher.ports(1, 2)
      const later = new Watcher(t, registry, 'math')
      await later.ports(1, 2)
      await eventually(() => performance.now() - began > 10_000, 'the node would be gone')
      assert.deepEqual(portsOf(await registry.getService('math')), [1, 2])
      assert.ok(!watcher.seen.includes('2'))
    })

    it('TLS is verified, and a client shows its certificate', async (t) => {
      const authority = new Authority('etcd tests')
      const [own, clients] = [authority.issue('localhost'), authority.issue('client')]
      const folder = await mkdtemp(join(tmpdir(), 'dmicro-etcd-tls-'))
      t.after(() => rm(folder, { recursive: true, force: true }))
      const files = { 'cert-file': own.cert, 'key-file': own.key, 'trusted-ca-file': authority.cert }
      for (const [name, pem] of Object.entries(files)) await writeFile(join(folder, name), pem)
      const args = [...Object.keys(files).flatMap((name) => [`--${name}`, join(folder, name)]), '--client-cert-auth']
      const server = await EtcdServer.start(t, binary, args)
      const tls = { ca: authority.cert, cert: clients.cert, key: clients.key }
      const registry = registryOf(t, server, { tls })
      const watcher = new Watcher(t, registry, 'math')
      await registry.register(service('math', [1]))
      await watcher.ports(1)
      const quick = { timeout: 500 }
      await assert.rejects(registryOf(t, server, { ...quick, tls: { ...tls, ca: undefined } }).getService('math'), {
        code: 503,
        cause: /certificate/,
      })
      await assert.rejects(registryOf(t, server, { ...quick, tls: { ca: authority.cert } }).getService('math'), { code: 503 })
      await assert.rejects(registryOf(t, server, quick).getService('math'), { code: 503 })
      const other = { ...quick, tls: { ...tls, servername: 'other.example' } }
      await assert.rejects(registryOf(t, server, other).getService('math'), { code: 503, cause: /altnames|other\.example/ })
      const named = registryOf(t, { endpoint: `https://localhost:${server.port}` }, { tls })
      assert.deepEqual(portsOf(await named.getService('math')), [1])
    })
  })
}
