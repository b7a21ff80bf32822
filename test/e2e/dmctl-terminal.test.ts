import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Endpoint } from '../../src/index.ts'
import { start } from '../support/dmctl.ts'
import { hasCommand, Terminal } from '../support/terminal.ts'

// `dmctl` in a terminal, as a person sees it: what is on the screen is what tmux says.

/** Why a test is skipped that needs a program; in CI, which installs all of them, none is. */
function lacks(program: string): string | false {
  return hasCommand(program) || process.env.CI !== undefined ? false : `no ${program} (Debian: ${program})`
}

const ESCAPE = '\x1b['

describe('dmctl in a terminal', { skip: lacks('tmux'), timeout: 90_000, concurrency: 3 }, () => {
  const server = new Endpoint({ log: false })
  const folder = mkdtempSync(join(tmpdir(), 'dmctl-terminal-'))
  /** Ends the calls of /hold. */
  let release = (): void => {}
  /** Pushes once more to who has called /pause. */
  let goOn: (() => Promise<void>) | undefined
  let url = ''
  before(async () => {
    server.routeCall('/echo', (value: unknown) => value)
    const held = new Promise<string>((resolve) => {
      release = () => resolve('let go')
    })
    server.routeCall('/hold', () => held)
    let times = 0
    server.routeCall('/hang', () => (times++ < 100 ? null : new Promise(() => {})))
    server.routeCall('/watch', (_: unknown, ctx) => setImmediate(() => ctx.session.push('/news', { n: 1 })))
    server.routeCall('/pause', (_: unknown, ctx) => {
      goOn = () => ctx.session.push('/news', { n: 2 })
      setImmediate(() => ctx.session.push('/news', { n: 1 }))
    })
    url = (await server.listen('tcp://127.0.0.1:0')).url
    const file = join(folder, 'dmctl')
    writeFileSync(
      file,
      `#!/bin/sh\nexec '${process.execPath}' '${fileURLToPath(new URL('../../dist/dmctl/index.js', import.meta.url))}' "$@"\n`,
    )
    chmodSync(file, 0o755)
  })
  after(async () => {
    await server.close({ timeout: 0 })
    rmSync(folder, { recursive: true, force: true })
  })

  /** A shell that has `dmctl`. */
  function open(t: TestContext, options: Parameters<typeof Terminal.open>[1] = {}): Promise<Terminal> {
    return Terminal.open(t, { ...options, path: `${folder}${delimiter}${process.env.PATH}` })
  }

  it('help fits the width of the terminal, and ends quietly when its reader does', async (t) => {
    for (const width of [60, 120]) {
      const terminal = await open(t, { width, height: 70 })
      await terminal.type('dmctl help bench; echo "code $?"', 'Enter')
      const lines = (await terminal.shows(/^code 0$/m)).split('\n')
      const text = lines.slice(
        lines.findIndex((line) => line.startsWith('Usage:')),
        lines.findIndex((line) => line.startsWith('Examples:')),
      )
      // The terminal breaks a line that is too long in the middle of a word.
      assert.ok(
        text.every((line) => /^(Usage|Options|Measures| {2}|$|\S+ )/.test(line)),
        text.join('\n'),
      )
      assert.ok(text.some((line) => line.length > width - 20))
      const words = text.join(' ').replaceAll(/\s+/g, ' ')
      assert.match(words, /Measures how fast a route answers\. Without --rate each answer is followed by the next call \(closed loop\);/)
      assert.match(words, /--in-flight <n> calls at a time, of all connections together \(default: 64\)/)
    }
    const terminal = await open(t)
    await terminal.type('(set -o pipefail; dmctl --help | head -n 2); echo "code $?"', 'Enter')
    assert.match(await terminal.shows(/^code \d/m), /^Usage: dmctl .*\n\ncode 0$/m)
  })

  it('a pager that reads its output still gets single keys when it has ended', async (t) => {
    const terminal = await open(t)
    // The pager has set the modes of the terminal before dmctl ends.
    await terminal.type(`clear; dmctl watch ${url} --first /pause --count 2 | less`, 'Enter')
    await terminal.shows(/\/news/)
    await goOn?.()
    await terminal.shows(/^\(END\)/m)
    await terminal.type('q')
    // The prompt of the shell, without Enter.
    await terminal.shows(/^bash-[\d.]+[#$] *$/m)
  })

  it('colours are there in a terminal, and not with NO_COLOR nor in a pipe', async (t) => {
    const terminal = await open(t, { width: 100, height: 60 })
    const red = `${ESCAPE}31mdmctl`
    await terminal.type('dmctl call; echo end 1', 'Enter')
    assert.ok((await terminal.shows(/^end 1/m, { colors: true })).includes(red))
    await terminal.type('clear; NO_COLOR=1 dmctl call; echo end 2', 'Enter')
    assert.ok(!(await terminal.shows(/^end 2/m, { colors: true })).includes(ESCAPE))
    await terminal.type('clear; dmctl call 2>&1 | cat; echo end 3', 'Enter')
    assert.ok(!(await terminal.shows(/^end 3/m, { colors: true })).includes(ESCAPE))
    await terminal.type('clear; dmctl doctor', 'Enter')
    assert.ok((await terminal.shows(/optional packages/, { colors: true })).includes(`${ESCAPE}1mtransport`))
  })

  it('a call that takes long shows that it waits, and the line goes when the answer is there', async (t) => {
    const terminal = await open(t)
    await terminal.type(`dmctl call ${url} /hold`, 'Enter')
    await terminal.shows(/^calling \/hold … [01] s$/m)
    release()
    assert.doesNotMatch(await terminal.shows(/^"let go"$/m), /calling/)
    // None of it where nobody looks.
    const { child, done } = start(['call', url, '/hold'])
    assert.deepEqual([(await done).stderr, child.exitCode], ['', 0])
  })

  it('bench shows its progress, and a picture as wide as the terminal', async (t) => {
    for (const width of [50, 100]) {
      const terminal = await open(t, { width, height: 50 })
      await terminal.type(`dmctl bench ${url} /echo 1 -d 1500; echo "code $?"`, 'Enter')
      await terminal.shows(/^\[#+-*\] +\d+ % {2}\d+ calls$/m)
      const screen = await terminal.shows(/^code 0$/m)
      assert.doesNotMatch(screen, /\[#/)
      const rows = screen.split('\n').filter((line) => /^ {2}≤ /.test(line))
      assert.ok(rows.length >= 3, screen)
      for (const row of rows) assert.match(row, /^ {2}≤ +[\d.]+ (µs|ms|s) [█▏▎▍▌▋▊▉]* +\d+$/)
      const widest = Math.max(...rows.map((row) => /[█▏▎▍▌▋▊▉]+/.exec(row)?.[0].length ?? 0))
      assert.equal(widest, Math.min(60, width - 24))
    }
  })

  it('Ctrl-C ends bench with a report of what was measured, also while calls hang', async (t) => {
    const terminal = await open(t, { height: 50 })
    await terminal.type(`dmctl bench ${url} /hang -d 60000 -t 60000; echo "code $?"`, 'Enter')
    await terminal.shows(/\] +\d+ % {2}99 calls/)
    await terminal.type('', 'C-c')
    const screen = await terminal.shows(/^code \d$/m)
    assert.match(screen, /^ {2}calls +99 in .* a second \(interrupted\)$/m)
    assert.match(screen, /^code 0$/m)
  })

  it('watch prints pushes, and Ctrl-C ends it with 0', async (t) => {
    const terminal = await open(t, { width: 100 })
    await terminal.type(`dmctl watch ${url} --first /watch; echo "code $?"`, 'Enter')
    await terminal.shows(/^watching tcp:.*, Ctrl\+C ends$/m)
    await terminal.shows(/^[\d:.]{12} \/news \{"n":1\}$/m)
    await terminal.type('', 'C-c')
    await terminal.shows(/code 0$/m)
  })

  const shells: Record<string, { command: string; begin: (folder: string) => string; home: (home: string, script: string) => void }> = {
    bash: {
      command: 'bash --norc --noprofile',
      begin: (home) => `PS1='$ '; source ${home}/dmctl.bash`,
      home: (home, script) => writeFileSync(join(home, 'dmctl.bash'), script),
    },
    zsh: {
      command: 'zsh -f',
      begin: (home) => `PS1='$ '; fpath=(${home} $fpath); autoload -Uz compinit; compinit -u -d ${home}/dump`,
      home: (home, script) => writeFileSync(join(home, '_dmctl'), script),
    },
    fish: {
      command: 'fish',
      begin: () => `function fish_prompt; echo '$ '; end; set fish_greeting`,
      home: (home, script) => {
        mkdirSync(join(home, '.config/fish/completions'), { recursive: true })
        writeFileSync(join(home, '.config/fish/completions/dmctl.fish'), script)
      },
    },
  }
  const shown = (line: string): RegExp => new RegExp(`^\\$ ${line.replaceAll(/[.\\/]/g, '\\$&')} ?$`, 'm')
  for (const [shell, { command, begin, home }] of Object.entries(shells)) {
    it(`${shell} completes commands, nested ones, options and their values`, { skip: lacks(shell) }, async (t) => {
      const own = mkdtempSync(join(folder, `${shell}-`))
      const script = await start(['completion', shell]).done
      home(own, script.stdout)
      const terminal = await open(t, { command, width: 120, env: { HOME: own, XDG_CONFIG_HOME: join(own, '.config') } })
      await terminal.type(`${begin(own)}; echo be''gun`, 'Enter')
      await terminal.shows(/^begun/m)
      for (const [typed, completed] of [
        ['dmctl descr', 'dmctl describe'],
        ['dmctl registry l', 'dmctl registry ls'],
        ['dmctl registry ls --et', 'dmctl registry ls --etcd'],
        ['dmctl call --transport na', 'dmctl call --transport native'],
        ['dmctl bench h:1 /a --in-f', 'dmctl bench h:1 /a --in-flight'],
        ['dmctl help complet', 'dmctl help completion'],
        [`dmctl gen ${own.slice(0, -2)}`, `dmctl gen ${own}/`],
        [`dmctl gen go ${own.slice(0, -2)}`, `dmctl gen go ${own}/`],
        [`dmctl gen --against ${own.slice(0, -2)}`, `dmctl gen --against ${own}/`],
      ]) {
        await terminal.type(typed)
        await terminal.shows(shown(typed)) // a shell that still reads what was typed takes a tab for a part of it
        await terminal.type('', 'Tab')
        await terminal.shows(shown(completed))
        await terminal.type('', 'C-u')
      }
    })
  }
})
