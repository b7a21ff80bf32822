import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { App } from '../support/dserver.ts'
import { type Kind, onEachTransport } from '../support/helpers.ts'
import { CALLS_PER_SECOND, CONNECTS_PER_SECOND, SteadyLoad } from './steady-load.ts'
import { long, scaled, side } from './support.ts'

const RELOADS = scaled(2, 50)
/** Milliseconds that new processes have to get ready in the second test. */
const RELOAD_TIMEOUT = scaled(1500, 5000)
/** Milliseconds beyond that for the command itself, which is a process too. */
const COMMAND_MS = scaled(5000, 2000)
const skip = process.platform !== 'linux'

type Model = 'single' | 'multi'

/** What the new processes do wrong, and how the failure of the reload tells it. */
const faults = {
  crash: /SIGKILL/,
  throw: /hello cannot/,
  hang: undefined,
  never: undefined,
}

class Reloading {
  readonly app: App
  readonly model: Model
  readonly url: string
  readonly #plan: string
  load!: SteadyLoad

  static async start(t: TestContext, transport: Kind, model: Model, options: object = {}): Promise<Reloading> {
    const port = await freePort()
    const reloading = new Reloading(t, transport, model, options, `tcp://127.0.0.1:${port}`)
    reloading.does(undefined)
    await reloading.app.start()
    reloading.load = await SteadyLoad.start(t, transport, reloading.url)
    return reloading
  }

  private constructor(t: TestContext, transport: Kind, model: Model, options: object, url: string) {
    this.url = url
    this.model = model
    const services = model === 'multi' ? { web: { instances: 2, listen: [url] } } : {}
    this.app = new App(t, { MODEL: model, SERVICES: services, OPTIONS: options, DMICRO_TRANSPORT: transport })
    this.#plan = join(this.app.folder, 'plan.json')
    this.app.env.PLAN_FILE = this.#plan
  }

  /** Says what processes that start from now on do wrong. */
  does(setup: string | undefined): void {
    writeFileSync(this.#plan, JSON.stringify({ hello: { service: 'web', listen: this.url, setup } }))
  }

  /** Pids of the processes that serve. */
  async pids(): Promise<number[]> {
    if (this.model === 'single') return [Number(readFileSync(this.app.pidFile, 'utf8'))]
    const { processes } = (await this.app.json('ctl', 'ps')) as unknown as { processes: { name: string; pid: number }[] }
    return processes.filter(({ name }) => name.startsWith('web:')).map(({ pid }) => pid)
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

onEachTransport(`${CALLS_PER_SECOND} calls and ${CONNECTS_PER_SECOND} connects a second`, (transport) => {
  describe('process models', side, () => {
    for (const model of ['single', 'multi'] as const) describe(`${model} process model`, side, () => suite(transport, model))
  })
})

function suite(transport: Kind, model: Model): void {
  test(`none fails in ${RELOADS} reloads`, { timeout: 600_000, skip }, async (t) => {
    const reloading = await Reloading.start(t, transport, model)
    const { app, load } = reloading
    const seen = new Set(await reloading.pids())
    for (let i = 0; i < RELOADS; i++) {
      const { exit, error } = await app.json('reload')
      assert.deepEqual([exit, error], [0, undefined])
      const pids = await reloading.pids()
      for (const pid of pids) assert.ok(!seen.has(pid), `process ${pid} was not replaced`)
      for (const pid of pids) seen.add(pid)
    }
    await load.stop()
    load.assertNoFailure()
    t.diagnostic(`${load.calls} calls, ${load.connects} connects, ${seen.size} processes`)
    assert.equal((await app.run('stop')).code, 0)
  })

  test(`none fails where new processes do not get ready`, { timeout: 120_000, skip: skip || (!long && transport === 'js') }, async (t) => {
    const reloading = await Reloading.start(t, transport, model, { reloadTimeout: RELOAD_TIMEOUT })
    const { app, load } = reloading
    const before = await reloading.pids()
    const late = new RegExp(`not ready within ${RELOAD_TIMEOUT} ms`)
    for (const [fault, reason] of Object.entries(faults)) {
      reloading.does(fault)
      const asked = performance.now()
      const { exit, error } = await app.json('reload')
      const took = performance.now() - asked
      assert.equal(exit, 1, `${fault}: ${error}`)
      assert.ok(took < RELOAD_TIMEOUT + COMMAND_MS, `${fault}: the command took ${took} ms`)
      // On a busy machine even a process that would fail at once may be late.
      if (reason === undefined || !late.test(error as string)) assert.match(error as string, reason ?? late)
    }
    assert.deepEqual(await reloading.pids(), before)
    await load.stop()
    load.assertNoFailure()
    reloading.does(undefined)
    assert.equal((await app.json('reload')).exit, 0, 'a later reload works')
    assert.equal((await app.run('stop')).code, 0)
  })
}
