import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { z } from 'zod'
import { silentLogger } from '../../../../src/base/log.ts'
import { Config } from '../../../../src/dserver/config/config.ts'
import { ConfigError } from '../../../../src/dserver/config/config-error.ts'
import type { ConfigSection } from '../../../../src/dserver/config/section.ts'

interface Given {
  name?: string
  text?: string
  flags?: string[]
  environment?: NodeJS.ProcessEnv
}

async function load(t: TestContext, { name = 'c.toml', text = '', flags = [], environment = {} }: Given): Promise<ConfigSection> {
  const folder = mkdtempSync(join(tmpdir(), 'config-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, name)
  writeFileSync(file, text)
  const config = await Config.load({ name: 'my-app', environmentName: '', file, flags, folder, environment, log: silentLogger })
  return config.root
}

/** File name, line and key of the error that reading throws. */
async function wrong(read: () => unknown): Promise<string> {
  try {
    await read()
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return `${error.source.split('/').at(-1)}:${error.line} ${error.key}: ${error.expected}`
  }
  throw new Error('nothing was wrong')
}

const toml = `title = """
a = 1
"""
[sandbox.hello]
  "list.en" = ["a", 1]
port = 0x10 # = 5
[sandbox."two words"]
deep.er = { inner = "x" }
[[many]]
a = 1
`

test('a TOML value has its line, whatever is around it', async (t) => {
  const config = await load(t, { text: toml })
  assert.equal(config.number('sandbox.hello.port'), 16)
  assert.equal(await wrong(() => config.string('sandbox.hello.port')), 'c.toml:6 sandbox.hello.port: a string')
  assert.equal(await wrong(() => config.number('title')), 'c.toml:1 title: a whole number')
  assert.equal(
    await wrong(() => config.number('sandbox.two words.deep.er.inner')),
    'c.toml:8 sandbox.two words.deep.er.inner: a whole number',
  )
  assert.equal(await wrong(() => config.number('sandbox.hello')), 'c.toml:4 sandbox.hello: a whole number')
  assert.equal(await wrong(() => config.number('sandbox.hello.nothing')), 'c.toml:4 sandbox.hello.nothing: a whole number')
  assert.match(await wrong(() => config.boolean('many')), /^c.toml:9 many: /)
})

test('YAML and JSON values have their lines, with tabs too', async (t) => {
  const yaml = await load(t, { name: 'c.yml', text: 'a:\n  b:\n    - 1\n    - x\n  c: no\n' })
  assert.equal(await wrong(() => yaml.list('a.b')), 'c.yml:3 a.b: a list of strings')
  assert.equal(await wrong(() => yaml.boolean('a.c')), 'c.yml:5 a.c: true or false')
  const json = await load(t, { name: 'c.json', text: '{\n\t"a": {\n\t\t"b": "x"\n\t}\n}' })
  assert.equal(await wrong(() => json.number('a.b')), 'c.json:3 a.b: a whole number')
})

test('files that cannot be read tell the line', async (t) => {
  const bad = [
    ['c.toml', 'a = 1\na = 2\n', 2],
    ['c.yaml', 'a: 1\nb: [1\n', 3],
    ['c.json', '{\n"a": 1,\n}', 3],
    ['c.json', '[1]', 1],
    ['c.json', '', 1],
    ['c.yaml', '- 1', 1],
    ['c.toml', 'listen_port = 1\nlistenPort = 2', 2],
    ['c.yaml', `a: &a [x]\n${Array.from({ length: 20 }, (_, i) => `b${i}: &b${i} [${'*a,'.repeat(10)}]`).join('\n')}`, undefined],
  ] as const
  for (const [name, text, line] of bad)
    assert.match(await wrong(() => load(t, { name, text })), new RegExp(`^${name}:${line} `), text.slice(0, 20))
  assert.match(await wrong(() => load(t, { name: 'c.ini' })), /^c.ini:undefined /)
})

test('keys that would be those of all objects are keys like others', async (t) => {
  const config = await load(t, { name: 'c.json', text: '{"__proto__":{"polluted":1},"constructor":{"x":2}}' })
  assert.deepEqual([config.number('__proto__.polluted'), config.number('constructor.x')], [1, 2])
  assert.deepEqual(
    [config.has('toString'), config.has('hasOwnProperty.name'), ({} as { polluted?: number }).polluted],
    [false, false, undefined],
  )
  const flags = await load(t, { flags: ['__proto__.polluted=1'], environment: { MY_APP___PROTO__: '1' } })
  assert.equal(flags.number('__proto__.polluted'), 1)
  assert.equal(({} as { polluted?: number }).polluted, undefined)
})

test('text of variables and flags becomes what is expected, or an error that names it', async (t) => {
  const environment = { MY_APP_A__PORT: ' 5 ', MY_APP_ON: 'yes', MY_APP_LIST: 'a, b', MY_APP_TIME: '1.5h', MY_APP_BAD: '', OTHER_A: '1' }
  const config = await load(t, { text: 'list = ["c"]\n[a]\nport = 1\nhost = "h"\n', environment })
  assert.deepEqual([config.number('a.port'), config.string('a.host'), config.boolean('on')], [5, 'h', true])
  assert.deepEqual([config.list('list'), config.duration('time'), config.list('bad')], [['a', 'b'], 5_400_000, []])
  assert.match(await wrong(() => config.number('bad')), /^environment variable MY_APP_BAD:undefined bad: /)
  assert.deepEqual(await config.section('a').read(z.object({ port: z.number(), host: z.string() })), { port: 5, host: 'h' })
  assert.match(await wrong(() => config.section('a').read(z.object({ host: z.number() }))), /^c.toml:4 a.host: /)
  assert.match(await wrong(() => config.section('a').read(z.object({ name: z.string() }))), /^c.toml:2 a.name: /)
})

test('durations and bounds', async (t) => {
  const config = await load(t, { text: 'a = "250ms"\nb = 7\nc = "-1s"\nd = "1 week"\ne = 1.5\nf = nan\n' })
  assert.deepEqual([config.duration('a'), config.duration('b'), config.duration('x', { default: 9 })], [250, 7, 9])
  for (const key of ['c', 'd', 'f']) await wrong(() => config.duration(key))
  for (const key of ['e', 'f']) await wrong(() => config.number(key))
  assert.equal(config.number('e', { fraction: true }), 1.5)
  assert.equal(await wrong(() => config.number('b', { min: 1, max: 6 })), 'c.toml:2 b: a whole number from 1 to 6')
  assert.equal(await wrong(() => config.string('a', { oneOf: ['x', 'y'] })), 'c.toml:1 a: one of x, y')
})
