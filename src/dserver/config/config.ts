import { existsSync } from 'node:fs'
import { dirname, extname, join, resolve } from 'node:path'
import { reasonOf } from '../../base/errors/error-text.ts'
import type { Logger } from '../../base/log.ts'
import { ConfigError } from './config-error.ts'
import { environmentLayer, flagLayer } from './environment-layer.ts'
import { type ConfigFile, readConfigFile } from './file.ts'
import { formats } from './formats.ts'
import type { ConfigLayer } from './layer.ts'
import { ConfigSection } from './section.ts'
import { watchFiles } from './watch.ts'

/** Where the configuration of an application comes from. */
interface ConfigSources {
  /** Name of the application, the prefix of its environment variables. */
  readonly name: string
  /** In the environment `test` the file `config.test.toml` is stronger than the `config.toml` beside it. */
  readonly environmentName: string
  /** The file that the operator named; undefined: one named `config` with a known ending, if there is one. */
  readonly file: string | undefined
  /** Values of the flag `--set`. */
  readonly flags: readonly string[]
  /** The folder of the application. */
  readonly folder: string
  readonly environment: NodeJS.ProcessEnv
  readonly log: Logger
}

/** The configuration of an application, which changes when it is read again. */
export class Config {
  /** All of it. */
  readonly root: ConfigSection
  readonly #sources: ConfigSources
  readonly #listeners = new Set<() => void>()
  #files: ConfigFile[] = []
  #layers: readonly ConfigLayer[] = []
  #watch: { close(): void } | undefined
  #reading: Promise<boolean> | undefined

  private constructor(sources: ConfigSources) {
    this.#sources = sources
    this.root = new ConfigSection(
      () => this.#layers,
      [],
      (listener) => this.#listen(listener),
    )
  }

  /**
   * Reads all sources.
   * @throws ConfigError (rejects)
   */
  static async load(sources: ConfigSources): Promise<Config> {
    const config = new Config(sources)
    config.#set(await config.#read())
    return config
  }

  /** Paths of the files that were read, the weakest first. */
  get files(): string[] {
    return this.#files.map(({ path }) => path)
  }

  /**
   * Reads the files again. When one is wrong, all stays as it is.
   * @returns whether anything changed
   * @throws ConfigError (rejects)
   */
  reload(): Promise<boolean> {
    this.#reading ??= this.#reload().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #reload(): Promise<boolean> {
    const files = await this.#read()
    const same =
      files.length === this.#files.length &&
      files.every(({ path, text }, i) => this.#files[i].path === path && this.#files[i].text === text)
    if (same) return false
    this.#set(files)
    for (const listener of [...this.#listeners]) {
      try {
        listener()
      } catch (error) {
        this.#sources.log.error('a listener for changes of the configuration threw', { error })
      }
    }
    return true
  }

  /** Watches no more. */
  close(): void {
    this.#watch?.close()
    this.#watch = undefined
    this.#listeners.clear()
  }

  #set(files: ConfigFile[]): void {
    const { name, environment, flags } = this.#sources
    this.#layers = [...files, environmentLayer(name, environment), flagLayer(flags)]
    this.#files = files
  }

  async #read(): Promise<ConfigFile[]> {
    const { file, environmentName } = this.#sources
    const main = this.#find(file)
    if (main === undefined) return []
    const ending = extname(main)
    const own = `${main.slice(0, -ending.length)}.${environmentName}${ending}`
    const paths = environmentName !== '' && existsSync(own) ? [main, own] : [main]
    return Promise.all(paths.map(readConfigFile))
  }

  #find(file: string | undefined): string | undefined {
    const { folder } = this.#sources
    const folders = [process.cwd(), join(process.cwd(), 'config'), folder, join(folder, 'config')]
    if (file !== undefined) {
      const isPath = /[\\/]/.test(file)
      const path = isPath ? resolve(file) : folders.map((each) => join(each, file)).find((each) => existsSync(each))
      if (path !== undefined && existsSync(path)) return path
      throw new ConfigError(
        { source: file, line: undefined, key: '' },
        isPath ? 'there is no such file' : `is in none of ${folders.join(', ')}`,
      )
    }
    const names = Object.keys(formats).map((ending) => `config${ending}`)
    return folders.flatMap((each) => names.map((name) => join(each, name))).find((path) => existsSync(path))
  }

  #listen(listener: () => void): { close(): void } {
    const own = (): void => listener()
    this.#listeners.add(own)
    this.#watch ??= watchFiles(
      [...new Set(this.#files.map(({ path }) => dirname(path)))],
      () =>
        void this.reload().catch((error) => this.#sources.log.error('the changed configuration is not used', { error: reasonOf(error) })),
    )
    return { close: () => void this.#listeners.delete(own) }
  }
}
