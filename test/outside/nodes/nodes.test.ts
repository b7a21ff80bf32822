import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { checkPeers, type Runtime, thisNode } from '../runtimes/peers.ts'
import { npmPackages } from '../support/install.ts'
import { run, succeed } from '../support/processes.ts'
import { Lacking, suite } from '../support/suite.ts'

const root = resolve(import.meta.dirname, '../../..')
const versions = { 22: '22.23.5', 24: '24.22.3', 26: '26.12.1' }
type Version = keyof typeof versions

/** Suites of ours where versions of Node differ: sockets, timers, contexts, threads. Those between oldest and newest run fewer. */
const chosen: Record<Version, RegExp> = {
  22: /^call\.|context|timer/,
  24: /^call\.|context|timer/,
  26: /^(call|cancel|close|deadline|io-threads|ages|redial|resume|session|cluster)\.|context|timer/,
}

async function prepare(): Promise<Record<Version, string>> {
  const packages = await npmPackages(import.meta.dirname)
  const nodes = Object.keys(versions).map((version) => [version, join(packages, `node_modules/node-${version}/bin/node`)])
  if (!nodes.every(([, node]) => existsSync(node))) throw new Lacking(`no packages of Node for ${process.platform} ${process.arch}`)
  return Object.fromEntries(nodes)
}

await suite('nodes', prepare, (nodes) => {
  const runtime = (version: Version): Runtime => ({ ...thisNode, command: [nodes[version], '--no-warnings'] })

  test('the packages bring the versions they are named by', async () => {
    for (const version of Object.keys(versions) as unknown as Version[])
      assert.equal(await succeed(nodes[version], ['--version']), `v${versions[version]}`)
  })

  test('this Node serves, Node 26 calls', (t) => checkPeers(t, thisNode, runtime(26)))
  test('Node 26 serves, this Node calls', (t) => checkPeers(t, runtime(26), thisNode))
  test('Node 22 serves, Node 24 calls', (t) => checkPeers(t, runtime(22), runtime(24)))

  for (const version of Object.keys(versions) as unknown as Version[]) {
    test(`our own suites of what versions of Node change, on Node ${version}`, async (t) => {
      const files = (await readdir(join(root, 'test/e2e'))).filter((file) => file.endsWith('.test.ts') && chosen[version].test(file))
      assert.ok(files.length > 1, `${files}`)
      for (const file of files) {
        await t.test(file, async () => {
          const args = ['--import', 'tsx', '--test', '--test-timeout=60000', '--test-reporter=tap', `test/e2e/${file}`]
          const { NODE_TEST_CONTEXT: _, ...env } = process.env // it would make this one a part of our own report
          const { code, stdout, stderr } = await run(nodes[version], args, { cwd: root, env, timeout: 90_000 })
          const failed = stdout.split('\n').filter((line) => /^ *(not ok|# (pass|fail|cancelled))/.test(line))
          assert.equal(code, 0, `${failed.join('\n')}\n${stderr}`)
          assert.match(stdout, /^# pass [1-9]/m)
        })
      }
    })
  }
})
