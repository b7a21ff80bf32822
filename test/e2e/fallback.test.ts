import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** A copy of the package's sources without any binary; `place` may put one there. Prints how one call went. */
function run(
  t: TestContext,
  place: (folder: string) => void,
  options: { env?: Record<string, string>; transport?: string; before?: string } = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-fallback-'))
  t.after(() => rmSync(folder, { recursive: true }))
  cpSync(join(root, 'src'), join(folder, 'src'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  mkdirSync(join(folder, 'build/Release'), { recursive: true })
  place(folder)
  const code = `${options.before ?? ''}
    const { Endpoint } = await import('./src/index.ts')
    const server = new Endpoint({ transport: ${JSON.stringify(options.transport ?? 'auto')} })
    server.routeCall('/add', (n) => n.reduce((a, b) => a + b))
    new Endpoint()
    const session = await server.dial((await server.listen('tcp://127.0.0.1:0')).url)
    console.log(await session.call('/add', [1, 2, 3]), String(server.transport))
    await server.close()`
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 30_000,
    env: { ...process.env, ...options.env },
  })
  return { out: stdout.trim(), err: stderr.trim(), status }
}

const binary = (folder: string): string => join(folder, 'build/Release/dmicro.node')
const nothing = (): void => {}

test('without a binary calls run on JavaScript, and one line says why (N6)', (t) => {
  const { out, err } = run(t, nothing)
  assert.match(out, /^6 js \(no native binary was built or shipped/)
  assert.equal(err.split('\n').filter((line) => line.includes('JavaScript transport')).length, 1)
})

const broken: Record<string, (folder: string) => void> = {
  'is empty': (folder) => writeFileSync(binary(folder), ''),
  'is truncated': (folder) => writeFileSync(binary(folder), Buffer.from('7f454c4602010100', 'hex')),
  'is text': (folder) => writeFileSync(binary(folder), 'not a binary'),
  'is a folder': (folder) => mkdirSync(binary(folder)),
  'is another library': (folder) => copyFileSync(process.platform === 'linux' ? '/proc/self/exe' : process.execPath, binary(folder)),
}
for (const [how, place] of Object.entries(broken)) {
  test(`a binary that ${how} is named in the reason, and calls run on JavaScript (N6)`, (t) => {
    const { out } = run(t, place)
    assert.match(out, /^6 js \(the native binary does not load: /)
  })
}

// A binary of today beside sources of another day differs from them as a stale binary does from those of today.
const built = join(root, 'build/Release/dmicro.node')
const stale: [how: string, file: string, from: string, to: string, difference: string][] = [
  [
    'swaps two words',
    'transports/native/ring-layout.ts',
    'BodyStart: 6,\n  BodyEnd: 7,',
    'BodyStart: 7,\n  BodyEnd: 6,',
    'Rec.BodyStart is 6',
  ],
  ['numbers events otherwise', 'transports/native/ring-layout.ts', 'Connect: 2, Close: 3,', 'Connect: 3, Close: 2,', 'Kind.Connect is 2'],
  ['numbers framings otherwise', 'wire/framing.ts', 'Peek: 3,', 'Peek: 4,', 'Framing.Peek is 3'],
  [
    'has other reasons of closing',
    'message/close-reason.ts',
    "'closed by the peer',",
    "'closed there',",
    'CloseReason.1 is closed by the peer',
  ],
  ['takes other arguments', 'transports/native/ring-layout.ts', "end: 'core, slot", "end: 'slot, core", 'end() is core, slot'],
  ['lacks a function', 'transports/native/ring-layout.ts', "end: 'core,", "rest: 'core', end: 'core,", 'rest() is missing'],
]
for (const [how, file, from, to, difference] of stale) {
  test(`a stale binary that ${how} is refused with the difference, and calls run on JavaScript`, { skip: !existsSync(built) }, (t) => {
    const { out } = run(t, (folder) => {
      symlinkSync(built, binary(folder))
      const source = join(folder, 'src', file)
      const text = readFileSync(source, 'utf8')
      assert.ok(text.includes(from))
      writeFileSync(source, text.replace(from, to))
    })
    assert.ok(out.startsWith(`6 js (the native binary is of another version: its ${difference}`), out)
  })
}

test('unknown runtimes run on JavaScript (N6)', (t) => {
  for (const runtime of ['bun', 'deno']) {
    const { out } = run(t, nothing, { before: `Object.defineProperty(process.versions, ${JSON.stringify(runtime)}, { value: '1.0' })` })
    assert.match(out, new RegExp(`^6 js \\(${runtime} cannot run the native transport\\)`))
  }
})

test('asking for the native transport where it cannot run is an error that says why (N6)', (t) => {
  const { status, err } = run(t, nothing, { transport: 'native' })
  assert.notEqual(status, 0)
  assert.match(err, /the native transport cannot run: no native binary/)
})

test('DMICRO_TRANSPORT overrides the option (N6)', (t) => {
  const { out, err } = run(t, nothing, { transport: 'native', env: { DMICRO_TRANSPORT: 'js' } })
  assert.equal(out, '6 js (asked for by DMICRO_TRANSPORT=js)')
  assert.equal(err, '')
  assert.match(run(t, nothing, { env: { DMICRO_TRANSPORT: 'carrier pigeon' } }).err, /DMICRO_TRANSPORT must be/)
})
