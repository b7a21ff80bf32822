import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { osAddon } from '../../src/dserver/os/native.ts'
import { endpoint, onEachTransport } from '../support/helpers.ts'
import { notificationSocket } from '../support/notification-socket.ts'
import { gone, Restarting } from '../support/restarting.ts'

const script = (name: string): string => fileURLToPath(new URL(`fixtures/restart/${name}`, import.meta.url))
const noNamespace = spawnSync('unshare', ['-pf', '--mount-proc', 'true']).status === 0 ? false : 'needs unshare(1) as root'

onEachTransport('sockets that another kind of process passes on', (transport) => {
  const real = typeof transport === 'string'
  const options = { skip: !real, timeout: 60_000 }
  const activated = { ...options, skip: !real || (osAddon() === undefined && 'the native addon does not run') }

  it('systemd: the watchdog hears of each process while it serves', activated, async (t) => {
    const path = join(mkdtempSync(join(tmpdir(), 'dmicro-restart-')), 'notify')
    t.after(() => rmSync(dirname(path), { recursive: true, force: true }))
    const manager = await notificationSocket(t, path)
    const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: '100000' }
    const app = new Restarting(t, { transport, urls: ['tcp://127.0.0.1:0'] }, { env })
    const { pid } = await app.serving()
    await manager.line(new RegExp(`^READY=1\\|MAINPID=${pid}$`))
    await manager.line(/^WATCHDOG=1$/)
    process.kill(pid, 'SIGUSR2')
    const next = await app.serving()
    await gone(pid)
    await manager.line(new RegExp(`^READY=1\\|WATCHDOG=1\\|MAINPID=${next.pid}$`))
    manager.lines.length = 0
    await manager.line(/^WATCHDOG=1$/)
  })

  it('systemd: a socket is used once, its path stays, and nothing is left in the environment', activated, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'dmicro-restart-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const path = join(folder, 'app.sock')
    const app = new Restarting(t, { transport, urls: [`unix://${path}`] }, { prefix: ['python3', script('activate.py'), path] })
    const { pid, leaked } = await app.serving()
    assert.deepEqual(leaked, [])
    const session = await endpoint(t, { transport, protocol: 'raw' }).dial(`unix://${path}`)
    assert.equal(await session.call('/pid'), pid)
    process.kill(pid, 'SIGTERM')
    await gone(pid)
    assert.ok(existsSync(path), 'systemd listens on')
  })

  it('Go: a process of Go passes its socket on, and hears that this one is ready', options, async (t) => {
    const app = new Restarting(t, { transport, urls: ['tcp://0.0.0.0:PORT'] }, { prefix: ['python3', script('go-parent.py')] })
    const said = [await app.serving(), await app.serving()]
    const own = said.find(({ pid }) => pid !== app.first.pid)!
    assert.deepEqual(own.leaked, [])
    const session = await endpoint(t, { transport, protocol: 'raw' }).dial(said.find(({ pid }) => pid === app.first.pid)!.urls[0])
    assert.equal(await session.call('/pid'), own.pid)
  })

  it('Go: a process of Go takes over, and ends this one by SIGTERM', options, async (t) => {
    const app = new Restarting(t, { transport, urls: ['tcp://127.0.0.1:0'], go: ['python3', script('go-child.py')] })
    const old = await app.serving()
    process.kill(old.pid, 'SIGUSR2')
    const next = await app.serving()
    await gone(old.pid)
    assert.deepEqual(next.urls, old.urls)
    const socket = connect(Number(next.urls[0].split(':')[2]), '127.0.0.1')
    assert.equal(String((await once(socket, 'data'))[0]), String(next.pid))
    socket.destroy()
  })

  it('pid 1 of a container stays, passes signals on, and ends as its last successor does', {
    ...options,
    skip: !real || noNamespace,
  }, async (t) => {
    const app = new Restarting(t, { transport, urls: ['tcp://127.0.0.1:0'] }, { prefix: ['unshare', '-pf', '--mount-proc'] })
    const first = await app.serving()
    assert.equal(first.pid, 1)
    const outer = Number(readFileSync(`/proc/${app.first.pid}/task/${app.first.pid}/children`, 'utf8'))
    const client = endpoint(t, { transport, protocol: 'raw', redial: { minDelay: 5, maxDelay: 50 } })
    const session = await client.dial(first.urls[0])
    let now = first.pid
    for (let round = 0; round < 2; round++) {
      process.kill(outer, 'SIGUSR2')
      const next = await app.serving()
      assert.ok(next.pid > now)
      now = next.pid
      while ((await session.call('/pid')) !== now);
    }
    const ended = once(app.first, 'exit')
    process.kill(outer, 'SIGTERM')
    assert.deepEqual(await ended, [0, null])
  })
})
