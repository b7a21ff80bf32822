/** Where a value of the configuration, or a mistake in it, is. */
export interface ConfigPlace {
  /** The file; for other sources what the operator wrote, such as `environment variable APP_PORT`. */
  readonly source: string
  /** Line of the file, from 1 on; undefined for other sources, and where it is not known. */
  readonly line: number | undefined
  /** Dotted, such as `sandbox.hello.port`; '' for a file that cannot be read. */
  readonly key: string
}

/** The configuration is wrong. The message tells file, line, key and what was expected. */
export class ConfigError extends Error {
  /** `ConfigError`. */
  override readonly name = 'ConfigError'
  /** The file; for other sources what the operator wrote, such as `environment variable APP_PORT`. */
  readonly source: string
  /** Line of the file, from 1 on; undefined for other sources, and where it is not known. */
  readonly line: number | undefined
  /** Dotted, such as `sandbox.hello.port`; empty for a file that cannot be read. */
  readonly key: string
  /** Such as `a whole number from 1 to 65535`; '' when the file cannot be read. */
  readonly expected: string

  constructor({ source, line, key }: ConfigPlace, problem: string, expected = '', options?: ErrorOptions) {
    const where = line === undefined ? source : `${source}:${line}`
    super(`${where}: ${key === '' ? '' : `${key} `}${problem}`, options)
    this.source = source
    this.line = line
    this.key = key
    this.expected = expected
  }
}
