import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { golang } from '../../src/contract/index.ts'
import { type Ended, run } from '../outside/support/processes.ts'
import { Shapes } from './contract-shapes.ts'

const program = join(import.meta.dirname, 'go-contract')

/** The Go program that uses what is generated of contracts, built into a directory that `dispose` removes. */
export class GoContract {
  readonly binary: string
  readonly #directory: string

  private constructor(directory: string) {
    this.#directory = directory
    this.binary = join(directory, 'dmicro-interop-contract')
  }

  /**
   * Generates its packages with `goOf`, which makes the text of the package of the shop, and builds it.
   *
   * @returns the program, or in one line why there can be none on this machine
   * @throws when what was generated is not as gofmt would write it, is refused by go vet, or does not compile
   */
  static async build(shop: string): Promise<GoContract | string> {
    const directory = mkdtempSync(join(tmpdir(), 'dmicro-interop-contract-'))
    const peer = new GoContract(directory)
    const reason = await peer.#build(shop).catch((error: NodeJS.ErrnoException) => {
      peer.dispose()
      if (error.code === 'ENOENT') return 'go is not installed'
      throw error
    })
    if (reason === undefined) return peer
    peer.dispose()
    return reason
  }

  async #build(shop: string): Promise<string | undefined> {
    const cwd = this.#directory
    for (const name of ['go.mod', 'go.sum', 'main.go']) symlinkSync(join(program, name), join(cwd, name))
    for (const [name, text] of Object.entries({ shop, shapes: golang(Shapes) })) {
      mkdirSync(join(cwd, name))
      writeFileSync(join(cwd, name, `${name}.go`), text)
    }
    const { stdout: unformatted } = await run('gofmt', ['-d', '.'], { cwd })
    if (unformatted !== '') throw new Error(`gofmt would write what was generated in another way:\n${unformatted}`)
    const built = await this.#go('build', '-o', this.binary, '.')
    if (built !== undefined) return built
    return this.#go('vet', './...')
  }

  async #go(...args: string[]): Promise<string | undefined> {
    const { code, stderr } = await run('go', args, { cwd: this.#directory, timeout: 300_000 })
    if (code === 0) return undefined
    if (/^(vet: )?(\.\/)?[\w/]+\.go:\d+:/m.test(stderr)) throw new Error(`go ${args[0]} refuses what was generated:\n${stderr}`)
    return `go ${args[0]}: ${stderr.trim().split('\n').at(-1)}`
  }

  /** Runs a command of the program to its end. */
  run(...args: string[]): Promise<Ended> {
    return run(this.binary, args)
  }

  dispose(): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
