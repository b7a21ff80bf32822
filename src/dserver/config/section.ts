import type { StandardSchemaV1 } from '../../message/standard-schema.ts'
import { ConfigError, type ConfigPlace } from './config-error.ts'
import type { ConfigLayer } from './layer.ts'
import { actualPath, type ConfigTree, isTree, type KeyPath, merged, splitKey, valueAt } from './tree.ts'
import { describeValue, durationOf, fromText, inTextOf } from './values.ts'

/** Numbers that `number` accepts. */
export interface NumberRule {
  /** Least number. Default: none. */
  min?: number | undefined
  /** Greatest number. Default: none. */
  max?: number | undefined
  /** Whether fractions are accepted. Default false. */
  fraction?: boolean | undefined
}

/** Strings that `string` accepts. */
export interface StringRule {
  /** The strings that are accepted. Default: all. */
  oneOf?: readonly string[] | undefined
}

/** The result of a getter where there is no value. Without it a value is required. */
export interface Fallback<D> {
  /** Returned as it is, of any type. */
  default: D
}

/** A value with the layer it is from. */
interface Found {
  readonly value: unknown
  readonly layer: ConfigLayer
  readonly path: KeyPath
}

/**
 * A part of the configuration, or all of it. A value comes from the strongest source that has it: flags, environment
 * variables, the file of the environment's name, the file. Keys are dotted; case, `_` and `-` make no difference. All
 * getters throw ConfigError for a value that is missing or not what was expected. They read the present
 * configuration, so that a later call may return another value.
 */
export class ConfigSection {
  readonly #layers: () => readonly ConfigLayer[]
  readonly #path: KeyPath
  readonly #onChange: (listener: () => void) => { close(): void }

  /** @internal */
  constructor(layers: () => readonly ConfigLayer[], path: KeyPath, onChange: (listener: () => void) => { close(): void }) {
    this.#layers = layers
    this.#path = path
    this.#onChange = onChange
  }

  /** The part below a key, which may be empty. */
  section(key: string): ConfigSection {
    return new ConfigSection(this.#layers, [...this.#path, ...splitKey(key)], this.#onChange)
  }

  /** Whether any source has a value for the key. */
  has(key: string): boolean {
    return this.#find(key) !== undefined
  }

  /** The names below a key, of all sources. */
  keys(key = ''): string[] {
    const value = this.#merged(key)
    return isTree(value) ? Object.keys(value) : []
  }

  /** The value as its source has it, objects of all sources joined; undefined when there is none. */
  value(key = ''): unknown {
    return this.#merged(key)
  }

  /**
   * A string.
   *
   * @throws ConfigError without a value or `default`, and for what is no string or not `oneOf`
   */
  string(key: string, rule?: StringRule): string
  string<D>(key: string, rule: StringRule & Fallback<D>): string | D
  string(key: string, rule: StringRule & Partial<Fallback<unknown>> = {}): unknown {
    const { oneOf } = rule
    const expected = oneOf === undefined ? 'a string' : `one of ${oneOf.join(', ')}`
    return this.#read(key, rule, expected, (value) =>
      typeof value === 'string' && (oneOf === undefined || oneOf.includes(value)) ? value : undefined,
    )
  }

  /**
   * A number, whole unless the rule has `fraction`.
   *
   * @throws ConfigError without a value or `default`, and for what is no such number or not from `min` to `max`
   */
  number(key: string, rule?: NumberRule): number
  number<D>(key: string, rule: NumberRule & Fallback<D>): number | D
  number(key: string, rule: NumberRule & Partial<Fallback<unknown>> = {}): unknown {
    const { min = -Infinity, max = Infinity, fraction = false } = rule
    const bounds = [min > -Infinity && `from ${min}`, max < Infinity && `to ${max}`].filter((text) => text !== false)
    const expected = [fraction ? 'a number' : 'a whole number', ...bounds].join(' ')
    return this.#read(key, rule, expected, (value, isText) => {
      const number = isText ? fromText(value, 'number') : value
      const fits = typeof number === 'number' && number >= min && number <= max && (fraction || Number.isInteger(number))
      return fits ? number : undefined
    })
  }

  /**
   * True or false.
   *
   * @throws ConfigError without a value or `default`, and for what is neither
   */
  boolean(key: string): boolean
  boolean<D>(key: string, rule: Fallback<D>): boolean | D
  boolean(key: string, rule: Partial<Fallback<unknown>> = {}): unknown {
    return this.#read(key, rule, 'true or false', (value, isText) => {
      const flag = isText ? fromText(value, 'boolean') : value
      return typeof flag === 'boolean' ? flag : undefined
    })
  }

  /** Milliseconds: a number, or text such as `250ms`, `30s`, `5m`, `1.5h`, `2d`. */
  duration(key: string): number
  duration<D>(key: string, rule: Fallback<D>): number | D
  duration(key: string, rule: Partial<Fallback<unknown>> = {}): unknown {
    return this.#read(key, rule, 'a duration such as 500ms, 30s or 5m, or a number of milliseconds', durationOf)
  }

  /** A list of strings; in environment variables and flags separated by commas. */
  list(key: string): string[]
  list<D>(key: string, rule: Fallback<D>): string[] | D
  list(key: string, rule: Partial<Fallback<unknown>> = {}): unknown {
    return this.#read(key, rule, 'a list of strings', (value, isText) => {
      const list = isText ? fromText(value, 'list') : value
      return Array.isArray(list) && list.every((each) => typeof each === 'string') ? list : undefined
    })
  }

  /**
   * The section as a Standard Schema (zod, valibot …) makes it of its values. Values of environment variables and
   * flags get the type that the file's value has; otherwise they are strings, which the schema converts.
   *
   * @throws ConfigError (rejects) with the place of the first value that the schema refuses
   */
  async read<Schema extends StandardSchemaV1>(schema: Schema): Promise<StandardSchemaV1.InferOutput<Schema>> {
    const value = this.#merged('') ?? {}
    const result = await schema['~standard'].validate(value)
    if (result.issues === undefined) return result.value as StandardSchemaV1.InferOutput<Schema>
    const [{ message, path = [] }] = result.issues
    const key = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
    throw new ConfigError(this.#place(key), `is wrong: ${message}`, message)
  }

  /**
   * Calls `listener` each time after the configuration has changed: a file was changed, or the operator asked to read
   * it again. Only who asks makes the server watch its files. A file that is wrong changes nothing.
   */
  onChange(listener: (section: ConfigSection) => void): { close(): void } {
    return this.#onChange(() => listener(this))
  }

  #read(key: string, rule: Partial<Fallback<unknown>>, expected: string, convert: (value: unknown, isText: boolean) => unknown): unknown {
    const found = this.#find(key)
    if (found === undefined) {
      if ('default' in rule) return rule.default
      throw new ConfigError(this.#place(key), `is missing, expected ${expected}`, expected)
    }
    const value = convert(found.value, found.layer.isText)
    if (value !== undefined) return value
    throw new ConfigError(found.layer.place(found.path), `must be ${expected}, got ${describeValue(found.value)}`, expected)
  }

  #find(key: string): Found | undefined {
    const path = [...this.#path, ...splitKey(key)]
    for (const layer of this.#layers().toReversed()) {
      const actual = actualPath(layer.values, path)
      if (actual === undefined) continue
      const value = valueAt(layer.values, actual)
      if (value !== undefined && value !== null) return { value, layer, path: actual }
    }
    return undefined
  }

  #merged(key: string): unknown {
    const path = [...this.#path, ...splitKey(key)]
    let result: unknown
    for (const layer of this.#layers()) {
      const actual = actualPath(layer.values, path)
      if (actual === undefined) continue
      const value = valueAt(layer.values, actual)
      const given = layer.isText ? inTextOf(value, result) : value
      result = isTree(result) && isTree(given) ? merged(result, given as ConfigTree) : given
    }
    return result
  }

  /** Where a key is, or the nearest thing around it. */
  #place(key: string): ConfigPlace {
    const full = [...this.#path, ...splitKey(key)]
    for (let length = full.length; length > 0; length--) {
      for (const layer of this.#layers().toReversed()) {
        // A variable or flag is no place for others that are missing.
        const actual = layer.isText && length < full.length ? undefined : actualPath(layer.values, full.slice(0, length))
        if (actual !== undefined) return { ...layer.place(actual), key: full.join('.') }
      }
    }
    const [first] = this.#layers()
    const source = first === undefined || first.isText ? 'configuration' : first.place([]).source
    return { source, line: undefined, key: full.join('.') }
  }
}
