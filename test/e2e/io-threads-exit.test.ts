import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { transports } from '../support/helpers.ts'

describe('the end of a process with IO threads', { skip: !transports.includes('native') }, () => {
  const run = (code: string): { status: number | null; output: string } => {
    const index = fileURLToPath(new URL('../../src/index.ts', import.meta.url))
    const script = `import { Endpoint } from ${JSON.stringify(index)}
      const server = new Endpoint({ transport: 'native', ioThreads: 2 })
      server.routeCall('/echo', (x) => x)
      const { url } = await server.listen('tcp://127.0.0.1:0')
      const client = new Endpoint({ transport: 'native', ioThreads: 2 })
      const session = await client.dial(url)
      ${code}`
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      encoding: 'utf8',
      timeout: 20_000,
    })
    return { status, output: (stdout + stderr).trim() }
  }

  test('it ends by itself once both endpoints are closed', () => {
    const code = `console.log(await session.call('/echo', 1)); await client.close(); await server.close()`
    assert.deepEqual(run(code), { status: 0, output: '1' })
  })

  test('process.exit during traffic is a clean exit with its code', () => {
    const code = `let n = 0
      const again = () => session.call('/echo', 1).then(() => { if (++n === 1000) process.exit(7); again() })
      for (let i = 0; i < 64; i++) again()`
    assert.deepEqual(run(code), { status: 7, output: '' })
  })

  test('a call that nobody answers keeps it alive until its deadline', () => {
    const code = `server.routeCall('/never', () => new Promise(() => {}))
      await session.call('/never', 1, { timeout: 50 }).catch((error) => console.log(error.code)); process.exit(0)`
    assert.deepEqual(run(code), { status: 0, output: '408' })
  })
})
