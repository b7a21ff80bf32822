type Class = abstract new (...args: never[]) => object

/**
 * Makes `instanceof` accept objects that another copy of this package made, as in a process that loads two copies, or
 * in a test runner that gives each file fresh modules. For classes whose objects users make or get; call it once per
 * class. Subclasses keep the ordinary `instanceof`.
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

/** The symbol that all copies of this package use for `name`. */
export function markOf(name: string): symbol {
  return Symbol.for(`dmicro.${name}`)
}

/** Whether `value` is an object or function with `mark`. Never throws. */
export function hasMark(value: unknown, mark: symbol): boolean {
  try {
    return ((typeof value === 'object' && value !== null) || typeof value === 'function') && mark in value
  } catch {
    return false // a Proxy that throws
  }
}
