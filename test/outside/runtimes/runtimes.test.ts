import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { npmPackages } from '../support/install.ts'
import { Lacking, suite } from '../support/suite.ts'
import { checkPeers, type Runtime, thisNode } from './peers.ts'

/** The packages bring binaries for the machine they are installed on. */
async function prepare(): Promise<Record<'node' | 'bun' | 'deno', Runtime>> {
  const packages = await npmPackages(import.meta.dirname)
  const { platform, arch } = process
  const cpu = arch === 'arm64' ? 'aarch64' : arch
  const binary = (...names: string[]): string => {
    const found = names.map((name) => join(packages, 'node_modules', name)).find(existsSync)
    if (found === undefined) throw new Lacking(`no ${names[0]} for ${platform} ${arch}`)
    return found
  }
  const bun = binary(`@oven/bun-${platform}-${cpu}/bin/bun`, `@oven/bun-${platform}-${cpu}-musl/bin/bun`)
  const deno = binary(`@deno/${platform}-${arch}-glibc/deno`, `@deno/${platform}-${arch}/deno`)
  return {
    node: thisNode,
    bun: { command: [bun], kind: 'js', reason: /^bun cannot run the native transport$/ },
    deno: { command: [deno, 'run', '-A', '--no-lock'], kind: 'js', reason: /^deno cannot run the native transport$/ },
  }
}

await suite('runtimes', prepare, (runtimes) => {
  for (const [serves, calls] of [
    ['node', 'bun'],
    ['bun', 'node'],
    ['bun', 'bun'],
    ['node', 'deno'],
    ['deno', 'node'],
    ['deno', 'deno'],
  ] as const) {
    test(`${serves} serves, ${calls} calls`, (t) => checkPeers(t, runtimes[serves], runtimes[calls]))
  }
})
