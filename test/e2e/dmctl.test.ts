import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { call, defineService, plain } from '../../src/contract/index.ts'
import { Endpoint, type Session } from '../../src/index.ts'
import { dmctl, start } from '../support/dmctl.ts'

// The command as a process, against a server of this one. Which transport carries the bytes does not matter here.

describe('dmctl', { concurrency: 2, timeout: 60_000 }, () => {
  const server = new Endpoint({ log: false })
  const pushed: unknown[] = []
  const watching = new Set<Session>()
  const folder = mkdtempSync(join(tmpdir(), 'dmctl-'))
  let url = ''
  let onPush = (): void => {}
  before(async () => {
    server.serve(
      defineService('math', { add: call(plain<number[]>({ type: 'array' }), plain<number>({ type: 'number' })) }),
      { add: (numbers: number[]) => numbers.reduce((a, b) => a + b, 0) },
      { describe: true },
    )
    server.routeCall('/meta', (_: unknown, ctx) => {
      ctx.setMeta('seen', ctx.meta.name ?? '')
      return ctx.meta
    })
    server.routeCall('/echo', (value: unknown) => value)
    server.routeCall('/watch', (_: unknown, ctx) => {
      watching.add(ctx.session)
      setImmediate(async () => {
        await ctx.session.push('/news', { n: 1 })
        await ctx.session.push('/other', 'text')
        await ctx.session.push('/news', { n: 2 }, { codec: 'msgpack' })
        await ctx.session.push('/news', { n: 3 })
      })
    })
    server.routePush('/log', (value: unknown) => {
      pushed.push(value)
      onPush()
    })
    url = (await server.listen('tcp://127.0.0.1:0', { protocols: ['raw', 'json'] })).url
  })
  after(async () => {
    await server.close({ timeout: 0 })
    rmSync(folder, { recursive: true })
  })

  it('call prints the result as JSON', async () => {
    assert.deepEqual(await dmctl('call', url, '/math/add', '[1,2,3]'), { code: 0, stdout: '6\n', stderr: '' })
    const { stdout } = await dmctl('call', url.replace('tcp://', ''), '/math/add', '[1,2]', '--protocol', 'json', '--json')
    const { ok, result, ms } = JSON.parse(stdout)
    assert.deepEqual([ok, result, typeof ms], [true, 3, 'number'])
  })

  it('call reads its argument from stdin or a file, and sends and shows meta', async () => {
    writeFileSync(join(folder, 'numbers.json'), '[4,5]')
    assert.equal((await dmctl('call', url, '/math/add', `@${join(folder, 'numbers.json')}`)).stdout, '9\n')
    assert.equal((await start(['call', url, '/math/add', '-'], { input: '[7, 8]' }).done).stdout, '15\n')
    assert.equal((await dmctl('call', url, '/echo', 'tea', '-c', 'plain')).stdout, 'tea\n')
    const { stdout } = await dmctl('call', url, '/meta', '-m', 'name=ann', '-m', 'x=a=b', '--show-meta')
    assert.match(stdout, /^seen: ann\n/)
    assert.match(stdout, /"x": "a=b"/)
  })

  it('push sends', async () => {
    const arrived = new Promise<void>((resolve) => {
      onPush = resolve
    })
    assert.deepEqual(await dmctl('push', url, '/log', '{"line":"x"}'), { code: 0, stdout: '', stderr: '' })
    await arrived
    assert.deepEqual(pushed, [{ line: 'x' }])
  })

  it('watch prints pushes of all codecs, of some routes, and ends after a count', async () => {
    const ran = await dmctl('watch', url, '--first', '/watch', '-r', '/news', '-n', '3', '--json')
    assert.equal(ran.code, 0, ran.stderr)
    const lines = ran.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(
      lines.map(({ route, body }) => [route, body]),
      [1, 2, 3].map((n) => ['/news', { n }]),
    )
    const text = await dmctl('watch', url, '--first', '/watch=1', '-n', '2')
    assert.match(text.stdout, /^[\d:.]{12} \/news \{"n":1\}\n[\d:.]{12} \/other "text"\n$/)
  })

  it('watch ends with 0 when interrupted, and with 6 when the server goes', async () => {
    for (const [end, code] of [
      ['SIGINT', 0],
      ['close', 6],
    ] as const) {
      watching.clear()
      const { child, done } = start(['watch', url, '--first', '/watch'])
      await once(child.stdout, 'data')
      if (end === 'SIGINT') child.kill('SIGINT')
      else for (const session of watching) session.destroy()
      assert.equal((await done).code, code)
    }
  })

  it('doctor says which transport runs and why, and what is missing', async () => {
    const { code, stdout } = await dmctl('doctor', url, '--json')
    assert.equal(code, 0)
    const report = JSON.parse(stdout)
    assert.ok(['native', 'js'].includes(report.transport.kind))
    assert.match(report.ports.IPv4, /^works/)
    assert.equal(report.versions.node, process.versions.node)
    assert.equal(report.limits.dmicro.maxMessage, 16 * 2 ** 20)
    assert.equal(report.peer.url, url)
    assert.match(report.peer.answers, /^a call in [\d.]+ ms$/)
    const text = await dmctl('doctor', '--transport', 'js')
    assert.match(text.stdout, /^transport\n {2}kind +js\n {2}why +asked for by the option transport: 'js'\n/m)
    assert.equal((await dmctl('doctor', '127.0.0.1:1')).code, 3)
  })

  it('doctor finds a peer that takes connections and does not answer', async (t) => {
    const silent = createServer().listen(0, '127.0.0.1')
    t.after(() => silent.close())
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const { code, stdout } = await dmctl('doctor', `127.0.0.1:${port}`, '--timeout', '200', '--json')
    assert.equal(code, 5)
    const { peer, problems } = JSON.parse(stdout)
    assert.match(peer.connected, /^in [\d.]+ ms$/)
    assert.match(problems.join('\n'), /did not answer in time/)
  })

  it('gen writes, checks, and never overwrites what was written by hand', async () => {
    const out = join(folder, 'gen')
    const proto = join(folder, 'sum.proto')
    const text = 'syntax = "proto3";\nmessage Sum { repeated int32 numbers = 1; }\nservice Math { rpc Add(Sum) returns (Sum); }\n'
    writeFileSync(proto, text)
    assert.equal((await dmctl('gen', proto, '-o', out, '--check')).code, 8)
    const first = await dmctl('gen', proto, '-o', out)
    const files = ['sum.ts', 'sum-server.ts', 'sum-client.ts'].map((name) => join(out, name))
    assert.deepEqual([first.code, first.stdout], [0, `${files.join('\n')}\n`], first.stderr)
    assert.deepEqual(await dmctl('gen', proto, '-o', out, '--check'), { code: 0, stdout: '', stderr: '' })
    writeFileSync(files[1], '// mine')
    writeFileSync(proto, text.replace('Add', 'Plus'))
    const stale = await dmctl('gen', proto, '-o', out, '--check')
    assert.deepEqual([stale.code, stale.stderr], [8, `dmctl: not up to date: ${files[0]}\n`])
    assert.equal((await dmctl('gen', proto, '-o', out)).stdout, `${files[0]}\n`)
    assert.equal(readFileSync(files[1], 'utf8'), '// mine')
    writeFileSync(files[0], '// mine too')
    assert.equal((await dmctl('gen', proto, '-o', out)).code, 7)
    assert.equal(readFileSync(files[0], 'utf8'), '// mine too')
    writeFileSync(proto, text.replace('repeated', 'repeat'))
    const bad = await dmctl('gen', proto, '--json')
    const { exit, file, line, column } = JSON.parse(bad.stdout)
    assert.deepEqual([bad.code, exit, file, line, column], [7, 7, proto, 2, 28])
  })

  it('gen --against prints what changed since an older file, and its exit code says whether that breaks', async () => {
    const [old, fine, wrong] = ['old', 'fine', 'wrong'].map((name) => join(folder, `${name}.proto`))
    const text = 'syntax = "proto3";\nmessage Sum { int32 n = 1; }\nservice Math { rpc Add(Sum) returns (Sum); }\n'
    writeFileSync(old, text)
    writeFileSync(fine, text.replace('n = 1;', 'n = 1; string more = 2;'))
    writeFileSync(wrong, text.replace('int32', 'string'))
    assert.deepEqual(await dmctl('gen', old, '--against', old), { code: 0, stdout: '', stderr: '' })
    const added = await dmctl('gen', fine, '--against', old)
    assert.deepEqual([added.code, added.stdout.split('\n')[0]], [0, 'fine  Math.add argument: changed, and old peers can go on'])
    const broken = await dmctl('gen', wrong, '--against', old)
    assert.deepEqual([broken.code, broken.stderr], [9, 'dmctl: 2 of 2 changes may break old clients\n'])
    assert.match(broken.stdout, /^breaking {2}Math\.add argument: n \(number 1\) is sent as int32 and read as string\n/)
    const json = JSON.parse((await dmctl('gen', wrong, '--against', old, '--json')).stdout)
    assert.deepEqual([json.exit, json.changes.length, json.changes[0].service], [9, 2, 'Math'])
    assert.equal((await dmctl('gen', wrong, fine, '--against', old)).code, 2)
    assert.equal((await dmctl('gen', wrong, '--against', join(folder, 'nothing.proto'))).code, 7)
  })

  it('bench measures in a closed and in an open loop, and draws', async () => {
    const html = join(folder, 'report.html')
    const closed = await dmctl('bench', url, '/math/add', '[1,2]', '-d', '200', '--connections', '2', '--html', html)
    assert.equal(closed.code, 0, closed.stderr)
    assert.match(closed.stdout, /closed, 64 calls at a time, 2 connections\n {2}calls +\d+ in .* a second\n[\s\S]* p99 [\s\S]*█/)
    assert.match(readFileSync(html, 'utf8'), /^<!doctype html>[\s\S]*<rect /)
    const { calls, failed, skipped } = JSON.parse(
      (await dmctl('bench', url, '/echo', '1', '--rate', '500', '-d', '200', '--in-flight', '100', '--json')).stdout,
    )
    assert.deepEqual([calls, failed, skipped], [100, 0, 0])
    assert.equal((await dmctl('bench', url, '/no/route', '-d', '200')).code, 4)
  })

  it('openapi writes and checks the document of a live service', async () => {
    const out = join(folder, 'openapi.json')
    assert.equal((await dmctl('openapi', url, '-o', out, '--check')).code, 8)
    assert.equal((await dmctl('openapi', url, '-o', out, '--title', 'Sums')).code, 0)
    const { openapi, info, paths } = JSON.parse(readFileSync(out, 'utf8'))
    assert.deepEqual([openapi, info.title, Object.keys(paths)], ['3.1.0', 'Sums', ['/math/add']])
    assert.equal((await dmctl('openapi', url, '-o', out, '--title', 'Sums', '--check')).code, 0)
  })

  for (const [language, flags] of [
    ['TypeScript', []],
    ['JavaScript', ['--js']],
  ] as const) {
    it(`new makes an application in ${language} whose test passes, in an empty folder only`, async () => {
      const app = join(folder, `tea-${language.toLowerCase()}`)
      const { code, stdout, stderr } = await dmctl('new', app, ...flags)
      assert.deepEqual([code, stderr], [0, ''])
      assert.ok(stdout.split('\n').includes(join(app, 'package.json')))
      mkdirSync(join(app, 'node_modules/@types'), { recursive: true })
      const root = fileURLToPath(new URL('../..', import.meta.url))
      symlinkSync(root, join(app, 'node_modules/dmicro'))
      for (const name of ['zod', '@types/node', 'undici-types'])
        symlinkSync(join(root, 'node_modules', name), join(app, 'node_modules', name))
      // The runner of this test would take the results of the other one for its own.
      const { NODE_TEST_CONTEXT: _, ...env } = process.env
      const run = (...args: string[]) => spawnSync(process.execPath, args, { cwd: app, env, encoding: 'utf8' })
      const { scripts } = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'))
      if (language === 'TypeScript') {
        const compiled = run(join(root, 'node_modules/typescript/bin/tsc'), '--strict', '--noUnusedLocals', '--exactOptionalPropertyTypes')
        assert.equal(compiled.status, 0, compiled.stdout)
      }
      const tested = run('--test', scripts.test.replace(/^node --test (.*)\*/, '$1service'))
      assert.equal(tested.status, 0, tested.stdout)
      assert.match(tested.stdout, /^# pass 1$/m)
      assert.equal((await dmctl('new', app)).code, 7)
    })
  }
})
