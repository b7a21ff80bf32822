import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { certificates } from '../support/certificates.ts'
import { endpoint, onEachTransport } from '../support/helpers.ts'
import { gone, isAlive, Restarting } from '../support/restarting.ts'

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'dmicro-restart-'))
  t.after(() => rmSync(made, { recursive: true, force: true }))
  return made
}

function fetched(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url.replace('tcp:', 'http:'), (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.on('end', () => resolve(Number(text)))
    }).on('error', reject)
  })
}

onEachTransport('a process that restarts', (transport) => {
  const real = typeof transport === 'string'
  const options = { skip: !real, timeout: 60_000 }

  it('passes on its sockets of all kinds, also with port 0; calls and sessions move to the next process', options, async (t) => {
    const { server: tls, authority } = certificates()
    const path = join(folder(t), 'app.sock')
    const app = new Restarting(t, {
      transport,
      ...(transport === 'native' ? { ioThreads: 1 } : {}),
      urls: ['tcp://127.0.0.1:0', 'tcp://[::1]:0', `unix://${path}`, 'ws://127.0.0.1:0/rpc', 'tls://127.0.0.1:0'],
      http: 'tcp://127.0.0.1:0',
      tls: { key: String(tls.key), cert: String(tls.cert) },
    })
    const old = await app.serving()
    const client = endpoint(t, { transport, protocol: 'raw', redial: { minDelay: 5, maxDelay: 50 } })
    const dial = (url: string) => client.dial(url, url.startsWith('tls:') ? { tls: { ca: authority.cert } } : undefined)
    const sessions = await Promise.all(old.urls.map(dial))
    const slow = sessions.map((session) => session.call<number>('/slow', 300))
    process.kill(old.pid, 'SIGUSR2')
    const next = await app.serving()
    assert.deepEqual([next.urls, next.http, next.leaked], [old.urls, old.http, []])
    assert.notEqual(next.pid, old.pid)
    await gone(old.pid)
    assert.deepEqual(
      await Promise.all(slow),
      old.urls.map(() => old.pid),
      'what ran was answered by the process that began it',
    )
    for (const session of [...sessions, ...(await Promise.all(old.urls.map(dial)))]) assert.equal(await session.call('/pid'), next.pid)
    assert.equal(await fetched(next.http as string), next.pid)
    assert.ok(existsSync(path))
    process.kill(next.pid, 'SIGTERM')
    await gone(next.pid)
    assert.ok(!existsSync(path), 'the last process removes the path')
  })

  it('does not restart while it listens on a UDP socket, whose sessions would be lost, and says so', options, async (t) => {
    const app = new Restarting(t, { transport, urls: ['tcp://127.0.0.1:0', 'kcp://127.0.0.1:0'] })
    const { pid, urls } = await app.serving()
    const session = await endpoint(t, { transport, protocol: 'raw' }).dial(urls[1])
    const failed = app.failed()
    process.kill(pid, 'SIGUSR2')
    await failed
    assert.ok(app.errors.at(-1)?.includes(`${urls[1]} cannot be passed on to a new process`), app.errors.at(-1))
    assert.equal(await session.call('/pid'), pid)
    await session.close()
  })

  it('serves on where the next one throws, and says why; then it can restart', options, async (t) => {
    const fault = join(folder(t), 'fault')
    writeFileSync(fault, 'throw')
    const app = new Restarting(t, { transport, urls: ['tcp://127.0.0.1:0'], fault })
    const old = await app.serving()
    const client = endpoint(t, { transport, protocol: 'raw' })
    const session = await client.dial(old.urls[0])
    const failed = app.failed()
    process.kill(old.pid, 'SIGUSR2')
    await failed
    assert.match(app.errors.at(-1) as string, /ended \(exit code 1\) before it was ready/)
    assert.equal(await session.call('/pid'), old.pid)
    assert.equal(await (await client.dial(old.urls[0])).call('/pid'), old.pid)
    writeFileSync(fault, '')
    process.kill(old.pid, 'SIGUSR2')
    const next = await app.serving()
    await gone(old.pid)
    assert.equal(await (await client.dial(old.urls[0])).call('/pid'), next.pid)
    assert.ok(isAlive(next.pid))
  })
})
