import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as contract from '../../src/contract/index.ts'
import { applicationFiles } from '../../src/dmctl/new/files.ts'
import * as dmicro from '../../src/index.ts'
import * as rpc from '../../src/rpc/index.ts'
import { complaints, entries, examples, fences, pages, read, type Snippet, sources, spans } from '../support/snippets.ts'

// What README.md, docs and doc comments show compiles, and whole programs run.

const root = fileURLToPath(new URL('../../', import.meta.url))
const allFences = pages(root).flatMap((page) => fences(page, read(root, page)))

/** What snippets in sentences and doc comments speak of without saying what it is. */
const known = `
import { ${Object.keys(dmicro).join(', ')} } from 'dmicro'
import { EventBus, endpointEvents } from 'dmicro/eventbus'
import { ${Object.keys(rpc).join(', ')} } from 'dmicro/rpc'
import { console as consolePages, prometheus } from 'dmicro/metrics'
import { Supervisor } from 'dmicro/supervisor'
import { tracing } from 'dmicro/tracing'
import { accessLog, jsonLogger, pinoLogger, sampledLogger } from 'dmicro/logs'
import { pino } from 'pino'
import { DServer, Sandbox, closeOnExec, gracefulRestart, lockFile, peerCredentials, reap, sdNotify } from 'dmicro/dserver'
import { ${Object.keys(contract).join(', ')} } from 'dmicro/contract'
import { TestNetwork } from 'dmicro/testing'
import { z } from 'zod'
declare const server: Endpoint, client: Endpoint, endpoint: Endpoint, session: Session, upstream: Session, net: TestNetwork
declare const link: TestNetwork['links'][number], host: ReturnType<TestNetwork['host']>
declare const stall: (typeof link)['stall'], halfClose: (typeof link)['halfClose'], told: (gap: import('dmicro').Gap) => void
declare const id: string, to: string, oneWay: boolean, url: string, token: string, secret: string, data: object, key: Uint8Array, ms: number, a: string, b: string, from: string
declare const bus: EventBus, pattern: string, event: import('dmicro/eventbus').BusEvent, metrics: ReturnType<typeof prometheus>, pages: ReturnType<typeof consolePages>, supervisor: Supervisor
declare const restart: ReturnType<typeof gracefulRestart>, descriptor: number, on: boolean, pid: number, state: string
declare const emitter: import('node:events').EventEmitter, promise: Promise<unknown>, error: unknown, yours: never
declare const als: import('node:async_hooks').AsyncLocalStorage<unknown>, store: unknown, listener: () => void
declare const AsyncResource: typeof import('node:async_hooks').AsyncResource
declare const faults: import('dmicro/testing').Faults
declare const check: Parameters<typeof authChecker>[0], send: Parameters<typeof authBearer>[0], ctx: import('dmicro').CallContext
declare const plugin: import('dmicro').Plugin, codec: import('dmicro').Codec
declare const users: Map<number, { id: number }>, lists: number[][]
declare const Query: import('dmicro').MessageType<{ id: number }>, User: import('dmicro').MessageType<{ id: number }>
declare const Order: import('dmicro').StandardSchemaV1<unknown, { id: number }>
declare const makeReport: () => unknown, registry: import('dmicro/rpc').Registry
declare const Shop: import('dmicro/contract').Service, before: import('dmicro/contract').Service, after: import('dmicro/contract').Service, implementation: never, arg: never
declare class Math { add(): number }
declare class Hello extends Sandbox { name: string; setup(): void; shutdown(): void }
`

test('the extraction finds what there is', () => {
  assert.ok(allFences.length >= 3)
  const page =
    '# x\n`f(1)` and `session.call(5)` `new X({ a: 1 }).y()`\n\n```ts\nconst a = 1\n```\n<!-- ts: continues -->\n```ts\na\n```\n<!-- ts: declare const b: 1 -->\n```js\nb\n```\n'
  assert.deepEqual(fences('p', page).map(({ code }) => code), ['const a = 1\n', 'const a = 1\na\n', 'declare const b: 1\nb\n']) // biome-ignore format: one line
  assert.deepEqual(spans('p', page).map(({ code }) => code), ['session.call(5)', 'new X({ a: 1 }).y()']) // biome-ignore format: one line
  assert.deepEqual(examples('f', '/**\n * Does.\n *\n * @example\n * a()\n * b()\n * @throws x\n */').map(({ code }) => code), ['a()\nb()']) // biome-ignore format: one line
  const wrong: Snippet[] = [{ where: 'p:1', language: 'ts', code: "import { Endpoint } from 'dmicro'\nnew Endpoint({ nope: 1 })" }, { where: 'p:2', language: 'ts', code: 'missing()' }] // biome-ignore format: one line
  assert.deepEqual(complaints(root, wrong).map((text) => text.slice(0, 3)), ['p:1', 'p:2']) // biome-ignore format: one line
})

test('every fenced snippet of README.md and docs compiles', () => {
  const told = complaints(root, allFences)
  assert.equal(told.length, 0, told.join('\n'))
})

test('every call in a sentence of README.md and docs compiles, and every example of a doc comment', () => {
  const inSentences = pages(root).flatMap((page) => spans(page, read(root, page)))
  const inComments = sources(root).flatMap((file) => examples(file, read(root, file)))
  assert.ok(inSentences.length > 15 && inComments.length >= 6, `${inSentences.length} ${inComments.length}`)
  const told = complaints(root, [...inSentences, ...inComments], ({ code }) => `${known}{\n${code}\n}`)
  assert.equal(told.length, 0, told.join('\n'))
})

test('every command and file that README.md and docs name is there', () => {
  const { scripts } = JSON.parse(read(root, 'package.json')) as { scripts: Record<string, string> }
  const made = applicationFiles({ name: 'shop', version: '0.1.0', language: 'ts' })
  for (const page of pages(root)) {
    const text = read(root, page)
    // That page is about an application of its own.
    const known = page === 'docs/quickstart.md' ? JSON.parse(made['package.json']).scripts : scripts
    for (const [, name] of text.matchAll(/\bnpm run ([\w:-]+)/g)) assert.ok(known[name] !== undefined, `${page}: npm run ${name}`)
    for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g))
      assert.ok(existsSync(join(root, dirname(page), target)), `${page} refers to ${target}`)
  }
})

/** Pages whose programs need more than this machine is sure to have, or never end. */
const NOT_RUN: Record<string, string> = {
  'docs/browser.md': 'a server of wss in the internet',
  'docs/ctl.md': 'an operator',
  'docs/dserver.md': 'an operator',
  'docs/etcd.md': 'etcd',
  'docs/restart.md': 'an operator',
  'docs/supervisor.md': 'programs to supervise',
}

test('programs of README.md and docs run', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-snippets-'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules')) // some use protobufjs or zod
  const ours = entries(root)
  const children: ChildProcess[] = []
  t.after(() => {
    for (const child of children) child.kill()
    rmSync(folder, { recursive: true })
  })
  const outputs: string[] = []

  async function run(page: string, i: number, { code, where, language }: Snippet, address: string): Promise<string> {
    const program = code.replace(/'(dmicro(?:\/\w+)?)'/g, (text, name: string) => (name in ours ? `'${pathToFileURL(ours[name]).href}'` : text)).replaceAll('127.0.0.1:9000', address) // biome-ignore format: one line
    const file = join(folder, `${page.replace(/\W/g, '-')}-${i}.${language === 'js' ? 'mjs' : 'mts'}`)
    writeFileSync(file, program)
    const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), file], { cwd: root })
    children.push(child)
    let output = ''
    let errors = ''
    let serves = address
    const status = await new Promise<number | null>((resolve) => {
      child.stdout.on('data', (chunk) => {
        output += chunk
        const said = /tcp:\/\/(127\.0\.0\.1:\d+)/.exec(output)?.[1]
        if (said === undefined) return
        serves = said
        resolve(0) // it serves from now on
      })
      child.stderr.on('data', (chunk) => (errors += chunk))
      child.on('close', resolve)
    })
    assert.equal(status, 0, `${where}: ${errors}`)
    outputs.push(output)
    return serves
  }

  const left = pages(root).filter((page) => NOT_RUN[page] === undefined)
  async function runPages(): Promise<void> {
    for (let page = left.shift(); page !== undefined; page = left.shift()) {
      let address = '127.0.0.1:0' // a server's own; its client has what it says
      for (const [i, snippet] of fences(page, read(root, page)).entries()) {
        if (!/^import .* from 'dmicro(?:\/\w+)?'/m.test(snippet.code) || /^declare /m.test(snippet.code)) continue
        address = await run(page, i, snippet, address)
      }
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, runPages))
  assert.ok(outputs.length >= 30, `${outputs.length} programs`)
  assert.ok(outputs.some((output) => /^6\n1001 out of stock\n/m.test(output)), outputs.join('---')) // biome-ignore format: one line
})
