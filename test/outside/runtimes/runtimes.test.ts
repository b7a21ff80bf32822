import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { npmPackages } from '../support/install.ts'
import { consumer } from '../support/packed.ts'
import { run, start } from '../support/processes.ts'
import { Lacking, reported, suite } from '../support/suite.ts'

const folder = import.meta.dirname
const CHECKS = 20

type Runtime = 'node' | 'bun' | 'deno'

/** The command that runs a program in a runtime: the packages bring binaries for this machine. */
async function prepare(): Promise<{ packages: string; commands: Record<Runtime, string[]> }> {
  const packages = await npmPackages(folder)
  const { platform, arch } = process
  const cpu = arch === 'arm64' ? 'aarch64' : arch
  const binary = (...names: string[]): string => {
    const found = names.map((name) => join(packages, 'node_modules', name)).find(existsSync)
    if (found === undefined) throw new Lacking(`no ${names[0]} for ${platform} ${arch}`)
    return found
  }
  const bun = binary(`@oven/bun-${platform}-${cpu}/bin/bun`, `@oven/bun-${platform}-${cpu}-musl/bin/bun`)
  const deno = binary(`@deno/${platform}-${arch}-glibc/deno`, `@deno/${platform}-${arch}/deno`)
  return { packages, commands: { node: [process.execPath, '--no-warnings'], bun: [bun], deno: [deno, 'run', '-A', '--no-lock'] } }
}

/** Server and client. */
const pairs: [Runtime, Runtime][] = [
  ['node', 'bun'],
  ['bun', 'node'],
  ['bun', 'bun'],
  ['node', 'deno'],
  ['deno', 'node'],
  ['deno', 'deno'],
]

await suite('runtimes', prepare, ({ packages, commands }) => {
  for (const [serves, calls] of pairs) {
    test(`${serves} serves, ${calls} calls`, async (t) => {
      const app = await consumer(packages, join(folder, 'project'))
      const [server, ...serverArgs] = commands[serves]
      const started = await start(t, server, [...serverArgs, 'server.mjs', join(app, 's.sock')], { cwd: app })
      const [client, ...clientArgs] = commands[calls]
      const { code, stdout, stderr } = await run(client, [...clientArgs, 'client.mjs', started.line], { cwd: app })
      const lines = stdout.trim().split('\n')
      const seen = lines.slice(1).map((line) => JSON.parse(line) as { name: string; detail: string })
      for (const { name, detail } of seen) await reported(t, name, detail)
      await t.test('every check ran, and the client ended by itself', () => assert.deepEqual([seen.length, code], [CHECKS, 0], stderr))
      await t.test('bun and deno run on the JavaScript transport, and say so', () => {
        const { kind, reason } = JSON.parse(started.line) as { kind: string; reason: string }
        const { transport } = JSON.parse(lines[0]) as { transport: [string, string] }
        for (const [runtime, [at, why]] of [
          [serves, [kind, reason]],
          [calls, transport],
        ] as const) {
          assert.equal(at, runtime === 'node' ? 'native' : 'js')
          if (runtime !== 'node') assert.equal(why, `${runtime} cannot run the native transport`)
        }
      })
      await t.test('the server closes and ends by itself', async () => {
        const ended = new Promise((resolve) => started.child.once('close', resolve))
        started.child.stdin?.end()
        assert.equal(await ended, 0)
      })
    })
  }
})
