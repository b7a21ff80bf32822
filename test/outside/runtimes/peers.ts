import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { consumer } from '../support/packed.ts'
import { run, start } from '../support/processes.ts'
import { reported } from '../support/suite.ts'

/** What client.mjs checks. */
const CHECKS = 20

/** A command that runs a program, and what an endpoint there says of its transport. */
export interface Runtime {
  command: string[]
  kind: 'native' | 'js'
  reason: RegExp
}

/** The packed package on two runtimes: the one's server passes all checks of the other's client, and both end by themselves. */
export async function checkPeers(t: TestContext, serves: Runtime, calls: Runtime): Promise<void> {
  const app = await consumer(undefined, join(import.meta.dirname, 'project'))
  const [server, ...serverArgs] = serves.command
  const started = await start(t, server, [...serverArgs, 'server.mjs', join(app, 's.sock')], { cwd: app })
  const [client, ...clientArgs] = calls.command
  const { code, stdout, stderr } = await run(client, [...clientArgs, 'client.mjs', started.line], { cwd: app })
  const lines = stdout.trim().split('\n')
  const seen = lines.slice(1).map((line) => JSON.parse(line) as { name: string; detail: string })
  for (const { name, detail } of seen) await reported(t, name, detail)
  await t.test('every check ran, and the client ended by itself', () => assert.deepEqual([seen.length, code], [CHECKS, 0], stderr))
  await t.test('both say which transport they run on', () => {
    const { kind, reason } = JSON.parse(started.line) as { kind: string; reason: string }
    const { transport } = JSON.parse(lines[0]) as { transport: [string, string] }
    for (const [runtime, [at, why]] of [[serves, [kind, reason]] as const, [calls, transport] as const]) {
      assert.equal(at, runtime.kind)
      assert.match(why, runtime.reason)
    }
  })
  await t.test('the server closes and ends by itself', async () => {
    const ended = new Promise((resolve) => started.child.once('close', resolve))
    started.child.stdin?.end()
    assert.equal(await ended, 0)
  })
}

export const thisNode: Runtime = { command: [process.execPath, '--no-warnings'], kind: 'native', reason: /^$/ }
