import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { EndpointOptions } from '../../src/index.ts'
import { type Kind, once, onEachTransport } from '../support/helpers.ts'

const fixture = new URL('./fixtures/copies.mjs', import.meta.url)
const { meet } = (await import(fixture.href)) as { meet(folders: string[], options: EndpointOptions): Promise<number[][]> }
const root = fileURLToPath(new URL('../../', import.meta.url))

/** Folders of `count` copies of the compiled package that share one binary, as the files of a test runner with fresh modules do. */
function copies(t: TestContext, count: number): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-copies-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return Array.from({ length: count }, (_, i) => {
    const copy = join(folder, String(i))
    cpSync(join(root, 'dist'), join(copy, 'dist'), { recursive: true })
    for (const shared of ['build', 'node_modules', 'package.json']) {
      if (existsSync(join(root, shared))) symlinkSync(join(root, shared), join(copy, shared))
    }
    return pathToFileURL(`${copy}/`).href
  })
}

const pairs = [0, 1, 2].flatMap((from) => [0, 1, 2].map((to) => [from, to, to, from]))

onEachTransport('several copies of the package over one binary', (transport: Kind) => {
  test('each copy reaches its own listeners and connections, and those of the others by their addresses', async (t) => {
    assert.deepEqual(await meet(copies(t, 3), { transport }), pairs)
  })

  test('so they do with threads for sockets', async (t) => {
    assert.deepEqual(await meet(copies(t, 3), { transport, ioThreads: 2 }), pairs)
  })

  test('so they do in a worker', async (t) => {
    const worker = new Worker(fixture, {
      workerData: { folders: copies(t, 3), options: { transport } },
    })
    t.after(() => worker.terminate())
    const answers = once<unknown>()
    worker.once('message', answers.resolve)
    worker.once('error', answers.reject)
    assert.deepEqual(await answers.promise, pairs)
  })
})
