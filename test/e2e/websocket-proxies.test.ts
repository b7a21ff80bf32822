import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once as eventOnce } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { heartbeatPing, heartbeatPong, type Session } from '../../src/index.ts'
import { endpoint, once, onEachTransport } from '../support/helpers.ts'

// nginx and HAProxy as reverse proxies, as docs/websocket.md shows them.

const nginx = found('nginx', '-v')
const haproxy = found('haproxy', '-v')

function found(name: string, flag: string): string | undefined {
  return [name, `/usr/sbin/${name}`].find((path) => {
    try {
      execFileSync(path, [flag], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

interface Proxy {
  readonly name: string
  readonly command: string | undefined
  /** @param timeout seconds of silence after which it ends a connection */
  config(folder: string, front: number, back: number, timeout: number): string
  args(folder: string): string[]
  /** The same with a master process, which a signal makes reload: old workers end a second later. */
  reloading: { config(text: string): string; args: string[]; signal: NodeJS.Signals }
}

const proxies: readonly Proxy[] = [
  {
    name: 'nginx',
    command: nginx,
    config: (folder, front, back, timeout) => `daemon off; master_process off; pid ${folder}/pid; error_log stderr; events {}
      http { access_log off; client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b; fastcgi_temp_path ${folder}/c; uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
        map $http_upgrade $connection_upgrade { default upgrade; '' close; }
        server { listen 127.0.0.1:${front};
          location /rpc { proxy_pass http://127.0.0.1:${back}; proxy_http_version 1.1; proxy_set_header Host $host;
            proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; proxy_read_timeout ${timeout}s; } } }`,
    args: (folder) => ['-c', join(folder, 'conf'), '-p', folder],
    reloading: {
      config: (text) => text.replace('master_process off;', 'worker_shutdown_timeout 1s;'),
      args: [],
      signal: 'SIGHUP',
    },
  },
  {
    name: 'HAProxy',
    command: haproxy,
    config: (_folder, front, back, timeout) => `defaults
  mode http
  timeout connect 5s
  timeout client 10s
  timeout server 10s
  timeout tunnel ${timeout}s
frontend front
  bind 127.0.0.1:${front}
  default_backend back
backend back
  server own 127.0.0.1:${back}
`,
    args: (folder) => ['-f', join(folder, 'conf')],
    reloading: { config: (text) => `global\n  hard-stop-after 1s\n${text}`, args: ['-W'], signal: 'SIGUSR2' },
  },
]

/** Starts a proxy and resolves to its port. */
async function start(t: TestContext, proxy: Proxy, back: number, timeout = 60): Promise<{ port: number; kill(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-proxy-'))
  const port = await freePort()
  writeFileSync(join(folder, 'conf'), proxy.config(folder, port, back, timeout))
  const child = spawn(proxy.command as string, proxy.args(folder), { stdio: 'ignore' })
  const exited = eventOnce(child, 'exit')
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exited
  }
  t.after(async () => {
    await kill()
    rmSync(folder, { recursive: true, force: true })
  })
  return { port, kill }
}

onEachTransport('WebSocket behind a proxy', (transport) => {
  for (const proxy of proxies) {
    const skip = proxy.command === undefined && `no ${proxy.name} here`

    test(`${proxy.name} passes calls, pushes, large messages and an orderly close`, { skip, timeout: 30_000 }, async (t) => {
      const server = endpoint(t, { transport })
      server.routeCall('/echo', (value: unknown) => value)
      const begun = once()
      const goOn = once()
      server.routeCall('/slow', async () => {
        begun.resolve()
        await goOn.promise
        return 'done'
      })
      const { url } = await server.listen('ws://127.0.0.1:0/rpc')
      const accepted = eventOnce(server, 'session') as Promise<[Session]>
      const { port } = await start(t, proxy, Number(new URL(url).port))
      const client = endpoint(t, { transport })
      client.routeCall('/back', (n: number) => n + 1)
      const session = await client.dial(`ws://127.0.0.1:${port}/rpc?x=1`, { redial: { minDelay: 10 } })
      const [peer] = await accepted
      assert.match(peer.request?.headers.connection ?? '', /upgrade/i)
      for (const size of [1, 4000, 70_000, 3_000_000]) assert.equal(await session.call('/echo', 'x'.repeat(size)), 'x'.repeat(size))
      assert.equal(await peer.call('/back', 1), 2)
      // Half of a connection does not outlive the other there: what runs is answered before either side ends.
      const slow = session.call('/slow')
      await begun.promise
      const closed = eventOnce(session, 'close')
      const closing = session.close()
      goOn.resolve()
      assert.equal(await slow, 'done')
      await Promise.all([closing, closed])
    })

    test(`a heartbeat keeps a session alive longer than ${proxy.name} lets silence last`, { skip, timeout: 30_000 }, async (t) => {
      const server = endpoint(t, { transport, plugins: [heartbeatPong()] })
      const { url } = await server.listen('ws://127.0.0.1:0/rpc')
      const beats = once()
      let beat = 0
      server.plugins.appendRight({ name: 'count', afterReadCallHeader: () => void (++beat === 2 && beats.resolve()) })
      const { port } = await start(t, proxy, Number(new URL(url).port), 5)
      const quiet = await endpoint(t, { transport })
        .dial(`ws://127.0.0.1:${port}/rpc`, { redial: { minDelay: 10 } })
        .then((session) => session)
      const lost = eventOnce(quiet, 'redialing')
      const client = endpoint(t, { transport, plugins: [heartbeatPing({ interval: 3000 })] })
      const session = await client.dial(`ws://127.0.0.1:${port}/rpc`, { redial: { minDelay: 10 } })
      let cut = false
      session.on('redialing', () => {
        cut = true
      })
      await lost // the one without a heartbeat was silent for five seconds
      await beats.promise
      assert.equal(cut, false)
    })

    test(`sessions that lose ${proxy.name} at the same moment by its reload come back one after the other`, {
      skip,
      timeout: 60_000,
    }, async (t) => {
      const COUNT = 25
      const server = endpoint(t, { transport })
      server.routeCall('/echo', (value: unknown) => value)
      const { url } = await server.listen('ws://127.0.0.1:0/rpc')
      const folder = mkdtempSync(join(tmpdir(), 'dmicro-proxy-'))
      const port = await freePort()
      const { config, args, signal } = proxy.reloading
      writeFileSync(join(folder, 'conf'), config(proxy.config(folder, port, Number(new URL(url).port), 60)))
      const child = spawn(proxy.command as string, [...args, ...proxy.args(folder)], { stdio: 'ignore' })
      const exited = eventOnce(child, 'exit')
      t.after(async () => {
        child.kill('SIGTERM') // a killed master would leave its workers behind
        await exited
        rmSync(folder, { recursive: true, force: true })
      })
      const client = endpoint(t, { transport })
      const target = `ws://127.0.0.1:${port}/rpc`
      // The first one finds the proxy started.
      const first = await client.dial(target, { redial: true })
      const others = await Promise.all(Array.from({ length: COUNT - 1 }, () => client.dial(target, { redial: true })))
      const sessions = [first, ...others]
      const lost: number[] = []
      const back: number[] = []
      const all = sessions.map(async (session) => {
        session.once('redialing', () => lost.push(performance.now()))
        await eventOnce(session, 'redialed')
        back.push(performance.now())
        assert.equal(await session.call('/echo', 'back'), 'back')
      })
      child.kill(signal)
      await Promise.all(all)
      const spread = (times: number[]): number => Math.max(...times) - Math.min(...times)
      assert.equal(lost.length, COUNT)
      // By default the windows of this many sessions are seconds wide, and places in them are even.
      assert.ok(spread(back) > 1000, `within ${spread(back)} ms, lost within ${spread(lost)} ms`)
      back.sort((a, b) => a - b)
      const most = Math.max(...back.map((time) => back.filter((other) => other >= time && other < time + 100).length))
      assert.ok(most <= COUNT / 2, `${most} of ${COUNT} within 100 ms`)
    })

    test(`sessions come back when ${proxy.name} is killed and started again`, { skip, timeout: 30_000 }, async (t) => {
      const server = endpoint(t, { transport })
      server.routeCall('/echo', (value: unknown) => value)
      const { url } = await server.listen('ws://127.0.0.1:0/rpc')
      const back = Number(new URL(url).port)
      const first = await start(t, proxy, back)
      const session = await endpoint(t, { transport }).dial(`ws://127.0.0.1:${first.port}/rpc`, {
        redial: { minDelay: 1, maxDelay: 50, times: 1000 },
      })
      const lost = eventOnce(session, 'redialing')
      await first.kill()
      await lost
      const again = eventOnce(session, 'redialed')
      const folder = mkdtempSync(join(tmpdir(), 'dmicro-proxy-'))
      writeFileSync(join(folder, 'conf'), proxy.config(folder, first.port, back, 60))
      const second = spawn(proxy.command as string, proxy.args(folder), { stdio: 'ignore' })
      t.after(() => {
        second.kill('SIGKILL')
        rmSync(folder, { recursive: true, force: true })
      })
      await again
      assert.equal(await session.call('/echo', 'back'), 'back')
    })
  }
})
