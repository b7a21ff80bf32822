import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once as event } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'

/** Runs a process that calls, closes and exits; the milliseconds that its close took. */
async function lastCall(url: string, flushTimeout: number): Promise<number> {
  const file = join(import.meta.dirname, 'fixtures/traced-process.ts')
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', file, url, String(flushTimeout)])
  return Number(stdout)
}

async function collector(t: TestContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await event(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`
}

test('a process that closes its endpoints and exits loses no span', { timeout: 30_000 }, async (t) => {
  const bodies: Buffer[] = []
  const url = await collector(
    t,
    createServer(async (request, response) => {
      for await (const piece of request) bodies.push(piece)
      response.end()
    }),
  )
  await lastCall(url, 5_000)
  // Span names stand in the protobuf as they are: one of the call, one of its handler.
  assert.equal(Buffer.concat(bodies).toString('latin1').split('/last').length >= 5, true)
})

test('a collector that never answers, or is not there, holds up the exit no longer than flushTimeout', { timeout: 30_000 }, async (t) => {
  const silent = createServer(() => {})
  const url = await collector(t, silent)
  const [asked, took] = await Promise.all([event(silent, 'request'), lastCall(url, 200)])
  assert.ok(asked.length > 0)
  assert.ok(took < 3_000, `${took} ms`)
  assert.ok((await lastCall('http://127.0.0.1:9/v1/traces', 200)) < 3_000)
})
