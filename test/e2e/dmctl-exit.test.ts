import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { call, defineService, plain } from '../../src/contract/index.ts'
import { Exit } from '../../src/dmctl/failure.ts'
import { Endpoint, StatusError } from '../../src/index.ts'
import { dmctl, ManyCommands } from '../support/dmctl.ts'

// Each exit code by all that can lead to it: one line on stderr, or with --json one object on stdout.

interface Case {
  readonly args: readonly string[]
  readonly line: RegExp
}

describe('exit codes of dmctl', { timeout: 60_000 }, () => {
  const server = new Endpoint({ log: false })
  const folder = mkdtempSync(join(tmpdir(), 'dmctl-exit-'))
  const file = (name: string): string => join(folder, name)
  let url = ''
  let gone = ''
  const commands = new ManyCommands()
  before(async () => {
    server.serve(
      defineService('math', { add: call(plain<number[]>({ type: 'array' }), plain<number>({ type: 'number' })) }),
      { add: (numbers: number[]) => numbers.reduce((a, b) => a + b, 0) },
      { describe: true },
    )
    server.routeCall('/echo', (value: unknown) => value)
    server.routeCall('/refuse', () => {
      throw new StatusError(1234, 'sold out', 'no tea')
    })
    server.routeCall('/never', () => new Promise(() => {}))
    server.routeCall('/drop', (_: unknown, ctx) => ctx.session.destroy())
    url = (await server.listen('tcp://127.0.0.1:0')).url
    const other = await server.listen('tcp://127.0.0.1:0')
    gone = other.url
    await other.close()
    mkdirSync(file('full/x'), { recursive: true })
    mkdirSync(file('taken/sum.ts'), { recursive: true })
    writeFileSync(file('sum.proto'), 'syntax = "proto3";\nmessage Sum { int32 a = 1; }\n')
    writeFileSync(file('sum-proto'), '')
    writeFileSync(file('bad.proto'), 'syntax = "proto3";\nmessage Sum { int32 a }\n')
  })
  after(async () => {
    commands.close()
    await server.close({ timeout: 0 })
    rmSync(folder, { recursive: true })
  })

  /** Runs each case twice, for people and for programs. */
  async function expectAll(code: number, cases: readonly Case[]): Promise<void> {
    for (const { args, line } of cases) {
      const text = await commands.run(...args)
      const json = await commands.run(...args, '--json')
      assert.deepEqual([args, text.code, text.stdout], [args, code, ''], text.stderr)
      assert.match(text.stderr, /^dmctl: .*\n$/)
      assert.match(text.stderr.slice('dmctl: '.length), line)
      assert.deepEqual([args, json.code, json.stderr], [args, code, ''])
      const { ok, exit, error } = JSON.parse(json.stdout)
      assert.deepEqual([ok, exit], [false, code])
      assert.match(error, line)
    }
  }

  it('0: done, and after help and version', async () => {
    const asked = [
      ['call', url, '/echo', '1'],
      ['--help'],
      ['help', 'call'],
      ['call', '--help'],
      ['registry', 'ls', '--help'],
      ['--version'],
    ]
    for (const args of [...asked, ['help', '--json']]) {
      const { code, stdout, stderr } = await commands.run(...args)
      assert.deepEqual([args, code, stderr], [args, Exit.Ok, ''])
      assert.ok(stdout.length > 0)
    }
    const { commands: listed } = JSON.parse((await commands.run('help', '--json')).stdout)
    for (const { name, options } of listed as { name: string; options: { flags: string }[] }[])
      assert.ok(name === 'registry' || options.some(({ flags }) => flags === '--json'), `${name} has no --json`)
  })

  it('1: the peer answered with an error', async () => {
    await expectAll(Exit.Failed, [
      { args: ['call', url, '/refuse'], line: /^\/refuse failed: 1234 sold out: no tea\n?$/ },
      { args: ['call', url, '/echo', '{"a":{"b":1}}', '-c', 'form'], line: /^\/echo was not sent: 104 / },
      { args: ['bench', url, '/refuse', '-d', '50'], line: /^\/refuse failed: 1234 / },
    ])
    const { stdout } = await commands.run('call', url, '/refuse', '--json')
    const error = '/refuse failed: 1234 sold out: no tea'
    assert.deepEqual(JSON.parse(stdout), { ok: false, exit: 1, error, code: 1234, cause: 'no tea', meta: {} })
  })

  it('2: the command line is wrong, or an argument is not JSON', async () => {
    await expectAll(Exit.Usage, [
      { args: ['call', 'foo://h:1', '/a'], line: /unknown scheme/ },
      { args: ['call', '127.0.0.1', '/a'], line: /expected a port/ },
      { args: ['call', url.replace('tcp', 'http'), '/a'], line: /^http is a protocol, not an address: 127.* --protocol http\n?$/ },
      { args: ['call', url, '/math/add', '[1,'], line: /^the argument is not JSON: / },
      { args: ['call', url, '/math/add', 'tea'], line: /^the argument is not JSON: .*text needs quotes/ },
      { args: ['call', url], line: /^missing required argument 'route' \(dmctl call --help\)\n?$/ },
      { args: ['call', url, '/echo', '1', '2'], line: /^too many arguments/ },
      { args: ['call', url, '/echo', '--bogus'], line: /^unknown option '--bogus' \(dmctl call --help\)\n?$/ },
      { args: ['call', url, '/echo', '--codec', 'none'], line: /none.*Allowed choices are json, / },
      { args: ['call', url, '/echo', '--timeout', 'soon'], line: /whole number of milliseconds/ },
      { args: ['call', url, '/echo', '--meta', 'x'], line: /expected key=value/ },
      { args: ['doctr'], line: /^unknown command 'doctr' \(Did you mean doctor\?\) \(dmctl --help\)\n?$/ },
      { args: ['help', 'cal'], line: /^there is no command "cal"; did you mean call\? \(dmctl --help\)\n?$/ },
      { args: ['registry', 'ls'], line: /^say which registry: / },
      { args: ['new', file('Tea')], line: /^the name must be small letters/ },
      { args: ['gen', 'go', file('sum.proto'), '--package', '1x'], line: /^--package must be the name of a Go package, got "1x"\n?$/ },
      { args: ['new', ''], line: /^the folder is empty\n?$/ },
      { args: ['call', '', '/echo'], line: /^the url is empty\n?$/ },
      ...['call', 'push', 'bench'].map((name) => ({ args: [name, url, '', '1'], line: /^the route is empty\n?$/ })),
      { args: ['watch', url, '--first', '=1'], line: /^the route is empty\n?$/ },
      {
        args: ['call', url, '/echo', '{"id":["12345678901234567890",12345678901234567890]}'],
        line: /^the argument has the number 12345678901234567890, which would be sent as 12345678901234567168\n?$/,
      },
      { args: ['call', url, '/echo', '[1e400]'], line: /^the argument has the number 1e400, which would be sent as null\n?$/ },
      { args: ['completion', 'tcsh'], line: /Allowed choices are bash, zsh, fish/ },
      { args: ['watch', url, '--first', '/echo=[1'], line: /^the argument is not JSON/ },
    ])
    for (const args of [[], ['registry']]) {
      const { code, stderr } = await commands.run(...args)
      assert.equal(code, Exit.Usage)
      assert.match(stderr, /^Usage: dmctl /)
    }
  })

  it('2: an option that the command would ignore', async () => {
    const go = (option: string[], before: string[] = []) => ['gen', ...before, 'go', file('sum.proto'), ...option]
    const unknown = /^unknown option '--\S+' \(dmctl gen go --help\)\n?$/
    const before = /^--\S+ before go is no option of dmctl gen go \(dmctl gen go --help\)\n?$/
    await expectAll(Exit.Usage, [
      { args: ['openapi', url, '--check'], line: /^--check needs --out\n?$/ },
      { args: ['openapi', url, '--asyncapi', '--server', 'https://h'], line: /'--asyncapi' cannot be used with option '--server / },
      { args: ['openapi', url, '--asyncapi', '--openapi', '3.2'], line: /'--asyncapi' cannot be used with option '--openapi / },
      { args: ['gen', file('sum.proto'), '--against', file('sum.proto'), '--check'], line: /'--check' cannot be used .* '--against / },
      { args: ['registry', 'ls', '--mdns', '--user', 'a:b'], line: /cannot be used with option '--user / },
      { args: go(['--against', file('sum.proto')]), line: unknown },
      { args: go(['--no-skeleton']), line: unknown },
      { args: go([], ['--against', file('sum.proto')]), line: before },
      { args: go([], ['--no-skeleton']), line: before },
      { args: go([], ['--out', file('x.go')]), line: before },
      { args: ['registry', 'ls', '--bogus'], line: /^unknown option '--bogus' \(dmctl registry ls --help\)\n?$/ },
      { args: ['call', url, '/echo', '--version'], line: /^unknown option '--version' \(dmctl call --help\)\n?$/ },
    ])
  })

  it('3: nobody answers', async () => {
    await expectAll(Exit.Unreachable, [
      ...['call', 'push', 'bench'].map((name) => ({
        args: [name, gone, '/a'],
        line: /^nobody answers at tcp:\/\/127\.\S+: .*ECONNREFUSED/,
      })),
      ...['watch', 'describe', 'openapi'].map((name) => ({ args: [name, gone], line: /^nobody answers at / })),
      { args: ['call', 'unix:///not/there', '/a'], line: /ENOENT/ },
      { args: ['call', 'nohost.invalid:1', '/a'], line: /nohost\.invalid/ },
      { args: ['registry', 'ls', '--etcd', '127.0.0.1:1', '-t', '300'], line: /^the registry does not answer: / },
      { args: ['ctl', 'nobody-of-this-name', 'ps'], line: /^nobody-of-this-name is not running / },
      { args: ['ctl', 'x', 'ps', '--socket', file('none.sock')], line: /^nobody answers on .*none\.sock/ },
    ])
    assert.equal((await commands.run('doctor', gone)).code, Exit.Unreachable)
  })

  it('4: the peer has no such route', async () => {
    await expectAll(Exit.NoRoute, [
      { args: ['call', url, '/math/ad', '[]'], line: /^no route \/math\/ad at tcp:.*; did you mean \/math\/add\?\n?$/ },
      { args: ['call', url, 'ech', '1'], line: /^no route ech at tcp:.*; names of routes begin with \/\n?$/ },
      { args: ['bench', url, '/no/route'], line: /^no route / },
      { args: ['watch', url, '--first', '/no/route'], line: /^no route / },
    ])
  })

  it('5: no answer in time', async () => {
    await expectAll(Exit.Timeout, [
      { args: ['call', url, '/never', '-t', '200'], line: /^\/never did not answer in time: 408 / },
      { args: ['bench', url, '/never', '-t', '200'], line: /^\/never did not answer in time: 408 / },
    ])
  })

  it('6: the connection was lost', async () => {
    assert.equal((await dmctl('call', url, '/drop')).code, Exit.Lost)
    const { url: web } = await server.listen('tcp://127.0.0.1:0', { protocols: ['http'] })
    await expectAll(Exit.Lost, [
      { args: ['call', url, '/drop'], line: /^the connection to tcp:.* was lost: 102 / },
      { args: ['call', web, '/echo', '1'], line: /; does the peer speak another protocol\? \(--protocol\)\n?$/ },
    ])
  })

  it('7: a file has errors, or cannot be read or written', async () => {
    await expectAll(Exit.BadFile, [
      { args: ['call', url, '/echo', '@/not/there'], line: /^cannot read \/not\/there: / },
      { args: ['call', url, '/echo', '--ca', '/not/there'], line: /^cannot read \/not\/there: / },
      { args: ['gen', file('none.proto')], line: /^there is no file / },
      ...['none.mjs', 'none.json', 'none'].map((name) => ({
        args: ['gen', 'go', file(name)],
        line: /^there is no file .*none[.a-z]*\n?$/,
      })),
      { args: ['gen', file('bad.proto'), '-o', file('gen')], line: /bad\.proto:2:23: / },
      { args: ['gen', file('sum.proto'), '-o', file('sum.proto/a')], line: /^cannot write / },
      { args: ['openapi', url, '-o', file('sum.proto/a')], line: /^cannot write / },
      { args: ['bench', url, '/echo', '--html', file('sum.proto/a')], line: /^cannot write / },
      { args: ['new', file('full')], line: /full is not empty\n?$/ },
      { args: ['new', file('sum-proto')], line: /sum-proto is no folder\n?$/ },
      // Node.js makes folders there without an end.
      { args: ['new', '/proc/nothing'], line: /^cannot write \/proc\/nothing\// },
      { args: ['openapi', url, '-o', folder], line: /^cannot read .*dmctl-exit-\w+: EISDIR/ },
      { args: ['openapi', url, '-o', folder, '--check'], line: /^cannot read .*dmctl-exit-\w+: EISDIR/ },
      { args: ['gen', file('sum.proto'), '-o', file('taken')], line: /^cannot read .*taken.sum\.ts: EISDIR/ },
      { args: ['gen', 'go', url, '-o', folder], line: /^cannot read .*dmctl-exit-\w+: EISDIR/ },
      { args: ['gen', 'go', url, '-o', '.'], line: /^cannot read \.: EISDIR/ },
    ])
  })

  it('8: --check found files that would change', async () => {
    await expectAll(Exit.Changed, [
      { args: ['gen', file('sum.proto'), '-o', file('gen'), '--check'], line: /^not up to date: .*sum\.ts\n?$/ },
      { args: ['openapi', url, '-o', file('openapi.json'), '--check'], line: /^not up to date: .*openapi\.json\n?$/ },
    ])
  })

  it('help and docs/dmctl.md list the codes that there are', async () => {
    const codes = Object.values(Exit).map(String)
    const help = (await commands.run('--help')).stdout
    assert.deepEqual(
      [...help.slice(help.indexOf('Exit codes:')).matchAll(/^ {2}(\d+) {2}\S/gm)].map(([, code]) => code),
      codes,
    )
    const docs = readFileSync(new URL('../../docs/dmctl.md', import.meta.url), 'utf8')
    assert.deepEqual(
      [...docs.slice(docs.indexOf('## Exit codes')).matchAll(/^\| (\d+) \|/gm)].map(([, code]) => code),
      codes,
    )
  })
})
