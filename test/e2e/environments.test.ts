import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { endpoint, type Kind, once, onEachTransport } from '../support/helpers.ts'

const root = new URL('../../', import.meta.url)

/** A program that imports dmicro, run by the Node of this test. */
function program(code: string, transport: Kind): ChildProcess {
  const text = `import { Endpoint, StatusError } from ${JSON.stringify(new URL('src/index.ts', root).href)}
    const transport = ${JSON.stringify(transport)}
    ${code}`
  return spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', text], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
}

async function ended(child: ChildProcess): Promise<{ code: number | null; signal: string | null; out: string; err: string }> {
  let out = ''
  let err = ''
  child.stdout?.on('data', (data) => {
    out += data
  })
  child.stderr?.on('data', (data) => {
    err += data
  })
  const end = once<[number | null, string | null]>()
  child.on('close', (code, signal) => end.resolve([code, signal]))
  const [code, signal] = await end.promise
  return { code, signal, out, err }
}

const traffic = `
  const server = new Endpoint({ transport, log: false })
  server.routeCall('/echo', (value) => value)
  const { url } = await server.listen('tcp://127.0.0.1:0')
  const client = new Endpoint({ transport, log: false })
  const session = await client.dial(url)
  const busy = async () => { for (;;) await session.call('/echo', 'x'.repeat(200)) }
  for (let i = 0; i < 50; i++) busy().catch(() => {})
  await session.call('/echo', 1)
`

onEachTransport('environments', (transport) => {
  test('process.exit during traffic is a clean exit with its code (N3)', async () => {
    const { code, signal } = await ended(program(`${traffic} process.exit(7)`, transport))
    assert.deepEqual([code, signal], [7, null])
  })

  test('an uncaught exception during traffic is reported and exits with 1 (N3)', async () => {
    const { code, signal, err } = await ended(program(`${traffic} setImmediate(() => { throw new Error('user bug') })`, transport))
    assert.deepEqual([code, signal], [1, null])
    assert.match(err, /user bug/)
  })

  test('SIGTERM during traffic ends the process by that signal (N3)', async () => {
    const child = program(`${traffic} console.log('running')`, transport)
    child.stdout?.once('data', () => child.kill('SIGTERM'))
    assert.equal((await ended(child)).signal, 'SIGTERM')
  })

  test('a process ends by itself once its endpoints are closed, and stays while one listens', async () => {
    const { code, out } = await ended(program(`${traffic} await client.close(); await server.close(); console.log('done')`, transport))
    assert.deepEqual([code, out], [0, 'done\n'])
    const listening = program(`await new Endpoint({ transport }).listen('tcp://127.0.0.1:0'); console.log('up')`, transport)
    listening.stdout?.once('data', () => setImmediate(() => listening.kill('SIGKILL')))
    assert.equal((await ended(listening)).signal, 'SIGKILL')
  })

  test('a process that lives by its session alone stays while a flood is read in several turns', async (t) => {
    const server = endpoint(t, { transport, protocol: 'raw' })
    const pushes = 30_000
    server.routeCall('/flood', (_: null, { session }) => {
      for (let i = 0; i < pushes; i++) session.push('/n', i)
    })
    const { url } = await server.listen('tcp://127.0.0.1:0')
    const flooded = program(
      `const client = new Endpoint({ transport, log: false })
      let seen = 0
      client.routePush('/n', () => { seen++ })
      const session = await client.dial(${JSON.stringify(url)})
      void session.call('/flood', null).then(() => { console.log(seen); void session.close() })`,
      transport,
    )
    assert.deepEqual(await ended(flooded), { code: 0, signal: null, out: `${pushes}\n`, err: '' })
  })

  test('workers run endpoints, talk to each other and the main thread, and end mid-call (N2)', async () => {
    const start = (peer?: string) => new Worker(new URL('./fixtures/worker-peer.mjs', import.meta.url), { workerData: { transport, peer } })
    const first = start()
    const message = (worker: Worker): Promise<[string, string]> =>
      new Promise((resolve, reject) => {
        worker.once('message', resolve)
        worker.once('error', reject)
      })
    const [url, answer] = await message(first)
    assert.equal(answer, 'hi')
    for (let i = 0; i < 20; i++) {
      const pair = [start(url), start(url)]
      for (const [, text] of await Promise.all(pair.map(message))) assert.equal(text, 'hi')
      await Promise.all(pair.map((worker) => worker.terminate()))
    }
    await first.terminate()
  })
})
