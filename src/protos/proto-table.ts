import type { RawProtocol } from '../wire/raw.ts'
import { builtIn } from './built-in.ts'
import type { Proto } from './proto.ts'

/** A protocol of an endpoint. Transports handle the raw one themselves. */
export type Protocol = Proto | RawProtocol

/** The protocols of one endpoint, by name. */
export class ProtoTable {
  readonly #byName = new Map<string, Protocol>()
  readonly #ids = new Map<number, string>()

  /**
   * Adds a protocol.
   *
   * @throws TypeError for a bad name or framing
   * @throws RangeError for an id outside 1..255
   * @throws Error when the id or name is taken
   */
  register(protocol: Protocol): void {
    const { id, name, framing } = protocol
    if (typeof name !== 'string' || name === '') throw new TypeError(`protocol ${id}: name must be a string that is not empty`)
    if (!Number.isInteger(id) || id < 1 || id > 255) throw new RangeError(`protocol ${JSON.stringify(name)}: id must be 1..255, got ${id}`)
    if (framing !== 'raw' && framing !== 'envelope' && framing !== 'stream')
      throw new TypeError(`protocol ${JSON.stringify(name)}: framing must be 'stream' or 'envelope', got ${JSON.stringify(framing)}`)
    const owner = this.#ids.get(id)
    if (owner !== undefined) throw new Error(`protocol id ${id} is taken by ${JSON.stringify(owner)}`)
    if (this.#byName.has(name)) throw new Error(`protocol name ${JSON.stringify(name)} is taken`)
    this.#byName.set(name, protocol)
    this.#ids.set(id, name)
  }

  /**
   * Finds a protocol by name.
   *
   * @param option what has the name, for the error's text
   * @throws TypeError for an unknown name
   */
  byName(name: string, option = 'protocol'): Protocol {
    const protocol = this.#byName.get(name)
    if (protocol === undefined)
      throw new TypeError(`option ${option}: no protocol is named ${JSON.stringify(name)}, expected ${[...this.#byName.keys()].join(', ')}`)
    return protocol
  }

  /** Whether the id or the name is taken. */
  has({ id, name }: Protocol): boolean {
    return this.#ids.has(id) || this.#byName.has(name)
  }
}

/** Makes a table of `own`, and of the built-in protocols whose name and id are free. */
export function makeProtocols(own: readonly Proto[]): ProtoTable {
  const table = new ProtoTable()
  for (const proto of own) table.register(proto)
  for (const protocol of builtIn) if (!table.has(protocol)) table.register(protocol)
  return table
}
