type Class = abstract new (...args: never[]) => object

/**
 * Lets `instanceof` see the objects that another copy of this package made, as a process has it that loads two, or a test runner that gives each file
 * fresh modules. For classes whose objects users make or get; to be called once for each. Subclasses are asked as ever.
 */
export function marked(own: Class, name: string): void {
  const mark = markOf(name)
  Object.defineProperty(own.prototype, mark, { value: true })
  Object.defineProperty(own, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      return this === own ? hasMark(value, mark) : Function.prototype[Symbol.hasInstance].call(this as Class, value)
    },
  })
}

/** The same for every copy. */
export function markOf(name: string): symbol {
  return Symbol.for(`dmicro.${name}`)
}

/** Never throws, whatever it is given. */
export function hasMark(value: unknown, mark: symbol): boolean {
  try {
    return ((typeof value === 'object' && value !== null) || typeof value === 'function') && mark in value
  } catch {
    return false // a Proxy
  }
}
