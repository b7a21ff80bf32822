import type { Filter } from '../message/filter.ts'
import { gzip } from './gzip.ts'
import { md5 } from './md5.ts'

/** The transfer filters of one endpoint, by id and by name. */
export class FilterTable {
  readonly #byId: (Filter | undefined)[] = new Array<Filter | undefined>(256).fill(undefined)
  readonly #byName = new Map<string, Filter>()

  /**
   * Adds a filter.
   * @throws RangeError for an id outside 1..255
   * @throws TypeError for what is no filter
   * @throws Error for an id or name already taken
   */
  register(filter: Filter): void {
    const { id, name } = filter
    if (!Number.isInteger(id) || id < 1 || id > 255) throw new RangeError(`filter ${JSON.stringify(name)}: id must be 1..255, got ${id}`)
    if (typeof name !== 'string' || name === '') throw new TypeError(`filter ${id}: name must be a string that is not empty`)
    const owner = this.#byId[id]
    if (owner !== undefined) throw new Error(`filter id ${id} is taken by ${JSON.stringify(owner.name)}`)
    if (this.#byName.has(name)) throw new Error(`filter name ${JSON.stringify(name)} is taken`)
    this.#byId[id] = filter
    this.#byName.set(name, filter)
  }

  /**
   * @param id 0..255
   * @returns undefined when there is no filter of this id
   */
  byId(id: number): Filter | undefined {
    return this.#byId[id]
  }

  /** The filters whose ids are in `buffer[start, end)`; undefined when one is unknown. */
  byIds(buffer: Uint8Array, start: number, end: number): readonly Filter[] | undefined {
    const filters: Filter[] = []
    for (let at = start; at < end; at++) {
      const filter = this.#byId[buffer[at]]
      if (filter === undefined) return undefined
      filters.push(filter)
    }
    return filters
  }

  byName(name: string): Filter | undefined {
    return this.#byName.get(name)
  }

  /**
   * Appends the filters called `names` to `pipe`, that is further inside; undefined when there are none at all.
   * @throws TypeError for a name that is unknown, or that is repeated and allowed only once
   * @throws RangeError for more than `max` filters
   */
  append(pipe: readonly Filter[] | undefined, names: readonly string[], max: number): readonly Filter[] | undefined {
    if (names.length === 0) return pipe
    const all = pipe === undefined ? [] : [...pipe]
    for (const name of names) {
      const filter = this.#byName.get(name)
      if (filter === undefined) throw new TypeError(`no transfer filter is named ${JSON.stringify(name)}`)
      if (filter.receiver !== undefined && all.includes(filter))
        throw new TypeError(`transfer filter ${name} may be used once on a message`)
      all.push(filter)
    }
    if (all.length > max) throw new RangeError(`${all.length} transfer filters are over the limit of ${max}`)
    return all
  }
}

/**
 * A new table with `own`, and with gzip and md5 unless `own` has filters of their name or id: these two need no key.
 */
export function makeFilters(own: readonly Filter[]): FilterTable {
  const table = new FilterTable()
  for (const filter of own) table.register(filter)
  for (const filter of [gzip(), md5]) {
    if (table.byId(filter.id) === undefined && table.byName(filter.name) === undefined) table.register(filter)
  }
  return table
}
