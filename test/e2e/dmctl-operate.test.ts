import assert from 'node:assert/strict'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { mdnsRegistry } from '../../src/rpc/registry/mdns/index.ts'
import { RpcServer } from '../../src/rpc/server.ts'
import { dmctl, type Ran, start } from '../support/dmctl.ts'
import { App } from '../support/dserver.ts'

// `dmctl ctl` with an application that runs, and `dmctl registry` with nodes in the local network. etcd: test/outside/etcd.

const options = { timeout: 30_000 }

test('ctl shows, stops, starts and reloads what an application runs', options, async (t) => {
  const app = new App(t, { PLAN: { hello: { listen: 'tcp://127.0.0.1:0' }, quiet: {} } })
  const ctl = (...args: string[]): Promise<Ran> => start(['ctl', 'app', ...args], { env: app.env }).done
  const json = async (...args: string[]): Promise<Record<string, unknown>> => {
    const { code, stdout } = await ctl(...args, '--json')
    return { code, ...JSON.parse(stdout) }
  }
  const server = await app.start()
  assert.match((await ctl()).stdout, /^SANDBOX +SERVICE +STATE +DESCRIPTION\nhello +default +running +pid \d+/)
  const [own] = (await json('ps')).processes as { pid: number }[]
  assert.equal(own.pid, server.child.pid)
  assert.deepEqual(await ctl('stop', 'quiet'), { code: 0, stdout: 'quiet: done\n', stderr: '' })
  assert.match((await ctl('info')).stdout, /^quiet +default +stopped/m)
  assert.equal((await ctl('start', 'quiet')).code, 0)
  const lines = (await json('log', '--level', 'info', '--name', 'quiet', '--lines', '2')).lines as { text: string }[]
  assert.deepEqual(
    lines.map(({ text }) => text.replace(/ ms=\d+$/, '')),
    ['sandbox stopped sandbox="quiet"', 'sandbox ready sandbox="quiet"'],
  )
  const failures: [args: string[], code: number, error: RegExp][] = [
    [['stop', 'nobody'], 2, /^there is no sandbox "nobody"$/],
    [['dance'], 2, /^unknown command "dance"; there are: info, ps, /],
    [['log', '-l', 'loud'], 2, /^unknown level "loud"/],
    [['stop', 'quiet', '-t', 'soon'], 2, /whole number of milliseconds/],
  ]
  for (const [args, code, error] of failures) {
    const [text, data] = [await ctl(...args), await json(...args)]
    assert.deepEqual([text.code, text.stdout, data.code, data.ok, data.exit], [code, '', code, false, code], text.stderr)
    assert.match(text.stderr, /^dmctl: .*\n$/)
    assert.match(data.error as string, error)
  }
  assert.equal((await ctl('reload')).code, 0)
  assert.notEqual(((await json('version')) as { pid: number }).pid, own.pid)
})

test('ctl follows the log until Ctrl-C, and ends with 3 when the application does', options, async (t) => {
  const app = new App(t, { PLAN: { hello: {} } })
  const server = await app.start()
  const follow = () => {
    const { child, done } = start(['ctl', 'app', 'log', '-f'], { env: app.env })
    const ready = new Promise<void>((resolve) =>
      createInterface({ input: child.stdout }).on('line', (line) => /: ready/.test(line) && resolve()),
    )
    return { child, done, ready }
  }
  const [first, second] = [follow(), follow()]
  await Promise.all([first.ready, second.ready])
  first.child.kill('SIGINT')
  assert.equal((await first.done).code, 0)
  server.child.kill('SIGTERM')
  const { code, stderr } = await second.done
  assert.deepEqual([code, stderr], [3, 'dmctl: the server has ended\n'])
})

test('registry ls finds the nodes of the local network', options, async (t) => {
  const domain = `dmctl-${process.pid}`
  const registry = mdnsRegistry({ domain, log: false })
  const node = new RpcServer('math', { version: '1.2.0', listen: 'tcp://127.0.0.1:0', registry, log: false })
  t.after(async () => {
    await node.close()
    await registry.close()
  })
  await node.start()
  const address = node.url.replace('tcp://', '')
  const found = await dmctl('registry', 'ls', '--mdns', domain)
  assert.deepEqual(found, {
    code: 0,
    stdout: `SERVICE  VERSION  ADDRESS${' '.repeat(address.length - 5)}NODE\nmath     1.2.0    ${address}  math-${address}\n`,
    stderr: '',
  })
  const { services } = JSON.parse((await dmctl('registry', 'ls', 'math', '--mdns', domain, '--json')).stdout)
  assert.deepEqual([services.length, services[0].nodes[0].address], [1, address])
  assert.deepEqual((await dmctl('registry', 'ls', 'shop', '--mdns', domain)).stdout, 'shop is not registered\n')
})
