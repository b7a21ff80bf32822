import type { MethodDescription } from './description.ts'
import { canonical, hoisted, type JsonSchema } from './json-schema.ts'

/**
 * The schemas of a document that keeps them in one place: each has a name that depends on the contract alone, and equal
 * ones share a place.
 */
export class Components {
  readonly schemas: Record<string, JsonSchema> = {}
  readonly #prefix: string
  readonly #names = new Map<string, string>()

  /** @param prefix what references begin with, such as '#/components/schemas/' */
  constructor(prefix: string) {
    this.#prefix = prefix
  }

  /** A reference to a schema, which is placed under `name` unless an equal one has a place. */
  refer(name: string, schema: JsonSchema): JsonSchema {
    if (Object.keys(schema).length === 0) return {}
    return { $ref: this.#place(name, schema) }
  }

  #place(name: string, schema: JsonSchema): string {
    const text = canonical(schema)
    const known = this.#names.get(text)
    if (known !== undefined) return `${this.#prefix}${known}`
    const free = this.#free(name)
    this.#names.set(text, free)
    this.schemas[free] = {}
    const places = new Map<string, string>()
    const definition = (own: string, member: JsonSchema): string => {
      // A definition is what it says and what it refers to: with those it can be compared.
      const shared = `${canonical(member)} of ${canonical(schema.$defs)}`
      const place = this.#names.get(shared) ?? this.#free(/^(Def\d+|Self)$/.test(own) ? `${free}${own}` : own)
      if (!this.#names.has(shared)) {
        this.#names.set(shared, place)
        this.schemas[place] = {}
        places.set(place, own)
      }
      return `${this.#prefix}${place}`
    }
    this.schemas[free] = hoisted(schema, definition)
    for (const [place, own] of places) this.schemas[place] = hoisted({ ...schema.$defs?.[own], $defs: schema.$defs ?? {} }, definition)
    return `${this.#prefix}${free}`
  }

  #free(name: string): string {
    let free = name
    for (let i = 2; free in this.schemas; i++) free = `${name}${i}`
    return free
  }
}

/** The name of a method in a document, with that of its service: `MathUsersGet`. */
export function typeName(service: string, { name }: Pick<MethodDescription, 'name'>): string {
  return [service, ...name.split('.')].map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}
