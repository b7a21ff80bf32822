import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { App } from '../support/dserver.ts'

const options = { timeout: 30_000 }
const reading = { PLAN: { hello: { setup: 'config' } } }

test('a value of the wrong type ends the start with 78, and tells file, line, key and what was expected', options, async (t) => {
  const app = new App(t, reading)
  writeFileSync(join(app.folder, 'config.toml'), '# ports\n\n[sandbox.hello]\nhost = "x"\nport = "high"\n')
  const { exit, error, source, line, key, expected } = await app.json('start')
  assert.deepEqual(
    { exit, source, line, key, expected },
    { exit: 78, source: 'config.toml', line: 5, key: 'sandbox.hello.port', expected: 'a whole number from 1 to 65535' },
  )
  assert.equal(error, 'config.toml:5: sandbox.hello.port must be a whole number from 1 to 65535, got "high"')
})

test('a file that is no TOML, or is not there, ends the start with 78', options, async (t) => {
  const app = new App(t, reading)
  writeFileSync(join(app.folder, 'bad.toml'), 'a = 1\nb = = 2\n')
  const [bad, missing] = [await app.json('start', '-c', 'bad.toml'), await app.json('start', '-c', './none.yaml')]
  assert.deepEqual([bad.exit, bad.source, bad.line], [78, 'bad.toml', 2])
  assert.match(bad.error as string, /^bad.toml:2: is no valid TOML: [^:\n]+: [^:\n]+$/, 'told once')
  assert.deepEqual([missing.exit, missing.error], [78, './none.yaml: there is no such file'])
})

test('flags are stronger than the environment, that is stronger than the file of its name, and that than the file', options, async (t) => {
  const app = new App(t, reading)
  const port = async (...args: string[]): Promise<string> => {
    const server = await app.start(...args)
    assert.equal((await app.run('stop')).code, 0)
    return server.all(/^port /).join()
  }
  writeFileSync(join(app.folder, 'config.yaml'), 'sandbox:\n  hello: { port: 1 }\n')
  assert.equal(await port(), 'port 1')
  writeFileSync(join(app.folder, 'config.test.yaml'), 'sandbox: { hello: { Port: 2 } }\n')
  assert.equal(await port('-e', 'Test'), 'port 2')
  app.env.APP_SANDBOX__HELLO__PORT = '3'
  assert.equal(await port('--env=test'), 'port 3')
  assert.equal(await port('--set', 'sandbox.hello.port=4'), 'port 4')
  app.env.APP_SANDBOX__HELLO__PORT = 'many'
  const wrong = await app.json('start')
  assert.match(
    wrong.error as string,
    /^environment variable APP_SANDBOX__HELLO__PORT: sandbox\.hello\.port must be a whole number .* got "many"$/,
  )
})

test('who asks is told of a changed file, also when a new file replaced it; a wrong one changes nothing', options, async (t) => {
  const app = new App(t, { PLAN: { hello: { setup: 'watch' } } })
  const path = join(app.folder, 'config.json')
  const replace = (text: string): void => {
    writeFileSync(`${path}.new`, text)
    renameSync(`${path}.new`, path)
  }
  writeFileSync(path, '{"sandbox":{"hello":{"port":1}}}')
  const server = await app.start()
  replace('{"sandbox":{"hello":{"port":2}}}')
  await server.line(/^port is now 2$/)
  replace('{"sandbox":')
  await server.line(/changed configuration is not used.*config\.json:1: is no valid JSON/)
  const told = await app.json('ctl', 'config')
  assert.deepEqual([told.exit, /is no valid JSON/.test(told.error as string)], [1, true])
  writeFileSync(path, '{"sandbox":{"hello":{"port":3}}}')
  server.child.kill('SIGHUP')
  await server.line(/^port is now 3$/)
  assert.equal((await app.run('stop')).code, 0)
})
