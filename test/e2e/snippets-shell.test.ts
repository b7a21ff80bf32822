import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Command } from 'commander'
import { parse as parseToml } from 'smol-toml'
import { parse as parseYaml } from 'yaml'
import { makeProgram } from '../../src/dmctl/program.ts'
import { blocks, entries, fences, pages, read } from '../support/snippets.ts'

// What docs show besides TypeScript and JavaScript: shell lines are ones of a shell, name commands that there are, and run where that takes no server
// of the reader's own; files can be parsed.

const root = fileURLToPath(new URL('../../', import.meta.url))
const all = pages(root).flatMap((page) => blocks(page, read(root, page)))
const has = (command: string): boolean => spawnSync(command, ['--version'], { stdio: 'ignore' }).error === undefined

function scratch(t: { after(fn: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-shell-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

/** The block of a page that has `text` in it. */
function block(page: string, text: string): string {
  const found = blocks(page, read(root, page)).find(({ code }) => code.includes(text))
  assert.ok(found !== undefined, `${page} has no block with ${text}`)
  return found.code
}

test('every block is in a language that is checked here', () => {
  const checks: Record<string, (code: string) => void> = {
    sh: (code) => {
      const { status, stderr } = spawnSync('sh', ['-n'], { input: code, encoding: 'utf8' })
      assert.equal(status, 0, stderr)
    },
    json: (code) => JSON.parse(code),
    yaml: (code) => parseYaml(code),
    toml: (code) => parseToml(code),
    ini: (code) => assert.deepEqual(code.split('\n').filter((line) => !/^(|[#;].*|\[\w+\]|\w+=.+)$/.test(line)), []), // biome-ignore format: one line
    dockerfile: (code) => assert.deepEqual(code.split('\n').filter((line) => !/^(|#.*|(FROM|WORKDIR|COPY|RUN|USER|ENV|HEALTHCHECK|ENTRYPOINT|CMD|EXPOSE) .+)$/.test(line)), []), // biome-ignore format: one line
    nginx: (code) => assert.equal(code.split('{').length, code.split('}').length),
    proto: () => {}, // test/e2e/dmctl.test.ts compiles them
    go: () => {}, // test/interop builds them
    html: () => {},
    text: () => {}, // what a program prints
    typescript: () => {}, // the quick start, which test/outside/quickstart follows
  }
  for (const { where, language, code } of all) {
    assert.ok(checks[language] !== undefined, `${where}: nothing checks ${language}`)
    assert.doesNotThrow(() => checks[language](code), where)
  }
})

/** What is wrong with a command line of dmctl; undefined if nothing is. */
function problemOf(line: string): string | undefined {
  const program = makeProgram()
  let command: Command = program
  let isName = true
  for (const word of line.split(/\s+/).slice(1)) {
    if (/^[#|>]|^&&/.test(word)) break
    const flag = /^(--?[a-z][\w-]*)/i.exec(word)?.[1]
    if (flag !== undefined) {
      const known = [command, program].flatMap(({ options }) => options).some(({ short, long }) => short === flag || long === flag)
      if (!known && !['--help', '-h'].includes(flag)) return `${command.name()} has no flag ${flag}`
      isName = false
    } else if (isName && command.commands.length > 0) {
      const next = command.commands.find((each) => each.name() === word || each.aliases().includes(word))
      if (next === undefined && command.registeredArguments.length === 0) return `${command.name()} has no command ${word}`
      isName = next !== undefined
      command = next ?? command
    }
  }
  return undefined
}

test('every line of dmctl in README.md and docs names a command and flags that there are', () => {
  assert.equal(problemOf('dmctl nobody x'), 'dmctl has no command nobody')
  assert.equal(problemOf('dmctl call x /y --nothing'), 'call has no flag --nothing')
  let seen = 0
  for (const page of pages(root)) {
    const text = read(root, page)
    const lines = [...blocks(page, text).flatMap(({ language, code }) => (language === 'sh' ? code.split('\n') : [])), ...[...text.matchAll(/`(dmctl [^`]+)`/g)].map(([, code]) => code)] // biome-ignore format: one line
    for (const line of lines.filter((each) => /^(npx )?dmctl [a-z]/.test(each))) {
      seen++
      assert.equal(problemOf(line.replace(/^npx /, '')), undefined, `${page}: ${line}`)
    }
  }
  assert.ok(seen >= 4, `${seen} lines`)
})

test('the certificates of docs/tls.md are made as it says', { skip: has('openssl') ? false : 'no openssl' }, (t) => {
  const folder = scratch(t)
  const made = spawnSync('sh', ['-e'], { input: block('docs/tls.md', 'openssl'), cwd: folder, encoding: 'utf8' })
  assert.equal(made.status, 0, made.stderr)
  const files = readdirSync(folder)
  for (const name of ['key.pem', 'cert.pem', 'ca.pem']) assert.ok(files.includes(name), name)
  const checked = spawnSync('openssl', ['verify', '-CAfile', 'ca.pem', 'cert.pem'], { cwd: folder, encoding: 'utf8' })
  assert.equal(checked.status, 0, checked.stderr)
})

test('the calls of docs/protocols.md reach its server', {
  skip: has('curl') && has('redis-cli') ? false : 'no curl or redis-cli',
}, async (t) => {
  const page = 'docs/protocols.md'
  const program = fences(page, read(root, page)).find(({ code }) => code.includes('/redis/buy'))
  assert.ok(program !== undefined)
  const code = program.code.replace("'dmicro'", `'${pathToFileURL(entries(root).dmicro)}'`).replace('127.0.0.1:9000', '127.0.0.1:0')
  const file = join(scratch(t), 'server.mjs')
  writeFileSync(file, code)
  const server: ChildProcess = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), file], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] }) // biome-ignore format: one line
  t.after(() => server.kill())
  const port = await new Promise<string>((resolve, reject) => {
    server.stdout?.on('data', (chunk) => resolve(/:(\d+)\n/.exec(String(chunk))?.[1] ?? ''))
    server.once('exit', () => reject(new Error('the server ended')))
  })
  const script = block(page, 'redis-cli').replaceAll(':9000', `:${port}`).replaceAll('-p 9000', `-p ${port}`)
  const { stdout } = spawnSync('sh', { input: script, encoding: 'utf8' })
  assert.match(stdout, /^6.*"result":6.*bought tea\n$/s)
})
