import { codecs } from './built-in.ts'
import type { Codec } from './codec.ts'

/** The codecs of one endpoint, by id and by name. */
export class CodecTable {
  readonly #byId: (Codec | undefined)[] = new Array<Codec | undefined>(256).fill(undefined)
  readonly #byName = new Map<string, Codec>()

  /**
   * Adds a codec.
   * @throws RangeError for an id outside 1..255 (0 means "no codec")
   * @throws TypeError for a name that is empty or no string
   * @throws Error for an id or name already taken
   */
  register(codec: Codec): void {
    const { id, name } = codec
    if (!Number.isInteger(id) || id < 1 || id > 255) throw new RangeError(`codec ${JSON.stringify(name)}: id must be 1..255, got ${id}`)
    if (typeof name !== 'string' || name === '') throw new TypeError(`codec ${id}: name must be a string that is not empty`)
    const owner = this.#byId[id]
    if (owner !== undefined) throw new Error(`codec id ${id} is taken by ${JSON.stringify(owner.name)}`)
    if (this.#byName.has(name)) throw new Error(`codec name ${JSON.stringify(name)} is taken`)
    this.#byId[id] = codec
    this.#byName.set(name, codec)
  }

  /**
   * @param id 0..255
   * @returns undefined when there is no codec of this id
   */
  byId(id: number): Codec | undefined {
    return this.#byId[id]
  }

  byName(name: string): Codec | undefined {
    return this.#byName.get(name)
  }

  /**
   * @param place put before the error's text
   * @throws TypeError when no codec has this name
   */
  named(name: string, place = ''): Codec {
    const codec = this.#byName.get(name)
    if (codec === undefined)
      throw new TypeError(`${place}no codec is named ${JSON.stringify(name)}, expected ${[...this.#byName.keys()].join(', ')}`)
    return codec
  }
}

/**
 * A new table with the codecs that need no registration (Go's json, plain, protobuf, form, xml and redis, and msgpack
 * and cbor) and with `own`. A codec of `own` replaces the built-in one with the same name and id.
 */
export function makeCodecs(own: readonly Codec[] = []): CodecTable {
  const table = new CodecTable()
  for (const codec of codecs) if (!own.some(({ id, name }) => id === codec.id && name === codec.name)) table.register(codec)
  for (const codec of own) table.register(codec)
  return table
}
