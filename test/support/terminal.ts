import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'

const runFile = promisify(execFile)

export function hasCommand(name: string): boolean {
  return spawnSync('which', [name]).status === 0
}

/** Milliseconds that a screen may take to become what is expected. */
const SCREEN_MS = 20_000

/** A terminal of tmux, with a server of its own, that ends with the test. */
export class Terminal {
  readonly #socket: string
  readonly #width: number
  /** tmux gives programs the PATH of its client, whatever is set. */
  readonly #path: string

  private constructor(socket: string, width: number, path: string) {
    this.#path = path
    this.#socket = socket
    this.#width = width
  }

  /** Opens one that runs a shell. `env` is added to its environment. */
  static async open(
    t: TestContext,
    options: { command?: string; width?: number; height?: number; env?: Record<string, string>; path?: string } = {},
  ): Promise<Terminal> {
    const { command = 'bash --norc --noprofile', width = 80, height = 24, env = {}, path = process.env.PATH ?? '' } = options
    const folder = mkdtempSync(join(tmpdir(), 'tmux-'))
    const terminal = new Terminal(join(folder, 's'), width, path)
    t.after(async () => {
      await terminal.#tmux('kill-server').catch(() => {})
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    })
    const given = { LANG: 'C.UTF-8', HOME: folder, ...env }
    const set = Object.entries(given).flatMap(([name, value]) => ['-e', `${name}=${value}`])
    await terminal.#tmux('-u', '-f', '/dev/null', 'new-session', '-d', ...set, '-x', String(width), '-y', String(height), command)
    return terminal
  }

  async #tmux(...args: string[]): Promise<string> {
    const { NO_COLOR: _, FORCE_COLOR: __, CI: ___, ...env } = process.env
    return (await runFile('tmux', ['-S', this.#socket, ...args], { env: { ...env, PATH: this.#path, TERM: 'xterm-256color' } })).stdout
  }

  /** Types text, and then keys by their names in tmux: `Enter`, `C-c`, `Tab`. */
  async type(text: string, ...keys: string[]): Promise<void> {
    if (text !== '') await this.#tmux('send-keys', '-l', '--', text)
    if (keys.length > 0) await this.#tmux('send-keys', ...keys)
  }

  /** What the screen shows, with colours as escape sequences if they are asked for. */
  screen(options: { colors?: boolean; scrolledBack?: boolean } = {}): Promise<string> {
    return this.#tmux('capture-pane', '-p', ...(options.colors ? ['-e'] : []), ...(options.scrolledBack ? ['-S', '-'] : []))
  }

  /** Waits until the screen shows what matches, and returns all of it. */
  async shows(pattern: RegExp, options: { colors?: boolean; scrolledBack?: boolean } = {}): Promise<string> {
    const end = performance.now() + SCREEN_MS
    for (;;) {
      const screen = await this.screen(options)
      if (pattern.test(screen)) return screen
      if (performance.now() > end) throw new Error(`the screen of ${this.#width} columns never showed ${pattern}:\n${screen}`)
    }
  }
}
