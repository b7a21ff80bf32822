import { ConfigError } from './config-error.ts'
import type { ConfigLayer } from './layer.ts'
import { type ConfigTree, type KeyPath, plainKey, setAt } from './tree.ts'

/** A layer of text values, each from a source of its own. */
class TextLayer implements ConfigLayer {
  readonly values: ConfigTree
  readonly isText = true
  readonly #sources = new Map<string, string>()

  constructor(entries: Iterable<{ path: KeyPath; value: string; source: string }>) {
    const values: Record<string, unknown> = Object.create(null)
    for (const { path, value, source } of entries) {
      setAt(values, path, value)
      this.#sources.set(path.map(plainKey).join('.'), source)
    }
    this.values = values
  }

  place(path: KeyPath): { source: string; line: undefined; key: string } {
    const source = this.#sources.get(path.map(plainKey).join('.')) ?? [...this.#sources.values()].join(', ')
    return { source, line: undefined, key: path.join('.').toLowerCase() }
  }
}

/** The prefix of an application's environment variables: `my-app` has `MY_APP_`. */
export function environmentPrefix(name: string): string {
  return `${name.replace(/[^A-Za-z0-9]/g, '_').toUpperCase()}_`
}

/** Values of environment variables: `APP_SANDBOX__HELLO__PORT` is `sandbox.hello.port` of the application `app`. */
export function environmentLayer(name: string, environment: NodeJS.ProcessEnv): ConfigLayer {
  const prefix = environmentPrefix(name)
  const entries = []
  for (const variable of Object.keys(environment).sort()) {
    if (!variable.startsWith(prefix) || variable.length === prefix.length) continue
    const path = variable.slice(prefix.length).toLowerCase().split('__')
    if (path.includes('')) continue
    entries.push({ path, value: environment[variable] ?? '', source: `environment variable ${variable}` })
  }
  return new TextLayer(entries)
}

/**
 * Values of flags `--set key=value`.
 * @throws ConfigError for a flag without key or `=`
 */
export function flagLayer(flags: readonly string[]): ConfigLayer {
  return new TextLayer(
    flags.map((flag) => {
      const mark = flag.indexOf('=')
      const key = flag.slice(0, Math.max(mark, 0)).trim()
      const source = `--set ${flag}`
      if (key === '' || key.split('.').includes(''))
        throw new ConfigError({ source, line: undefined, key: '' }, 'must be key=value, as in --set sandbox.hello.port=9000', 'key=value')
      return { path: key.split('.'), value: flag.slice(mark + 1), source }
    }),
  )
}
