import type { AnyMessageType } from './runtime.ts'
import { Holds, type Shape, shapeOf } from './shape.ts'

/** The fields of a type that are required, or that hold messages with required fields. */
interface Needs {
  readonly required: readonly string[]
  readonly children: readonly { readonly name: string; readonly holds: number; readonly shape: Shape }[]
}

const known = new WeakMap<AnyMessageType, Needs | null>()

/**
 * Refuses a message without a field that its type requires: protobufjs would write a default.
 * @throws TypeError that names the field
 */
export function requireComplete(type: AnyMessageType, value: object): void {
  const missing = missingIn(type, value)
  if (missing !== undefined) throw new TypeError(`protobuf: field ${missing} is required`)
}

export function isComplete(type: AnyMessageType, value: object): boolean {
  return missingIn(type, value) === undefined
}

/** The path of a required field that is missing. */
function missingIn(type: AnyMessageType, value: object): string | undefined {
  let needs = known.get(type)
  if (needs === undefined) {
    const shape = shapeOf(type)
    needs = shape !== undefined && hasRequired(shape, new Set()) ? needsOf(shape) : null
    known.set(type, needs)
  }
  return needs === null ? undefined : missing(needs, value as Record<string, unknown>, '')
}

function missing({ required, children }: Needs, value: Record<string, unknown>, path: string): string | undefined {
  for (const name of required) if (!Object.hasOwn(value, name) || value[name] === null || value[name] === undefined) return `${path}${name}`
  for (const { name, holds, shape } of children) {
    const held = Object.hasOwn(value, name) ? value[name] : undefined
    if (typeof held !== 'object' || held === null) continue
    for (const each of holds === Holds.One ? [held] : Object.values(held)) {
      if (typeof each !== 'object' || each === null) continue
      const found = missing(needsOf(shape), each as Record<string, unknown>, `${path}${name}.`)
      if (found !== undefined) return found
    }
  }
  return undefined
}

function needsOf(shape: Shape): Needs {
  const made = known.get(shape.type)
  if (made) return made
  const children = shape.fields.flatMap(({ name, holds, type }) => {
    const child = type === undefined ? undefined : shapeOf(type)
    return child !== undefined && hasRequired(child, new Set()) ? [{ name, holds, shape: child }] : []
  })
  const needs = { required: shape.fields.filter((field) => field.required).map(({ name }) => name), children }
  known.set(shape.type, needs)
  return needs
}

function hasRequired(shape: Shape, seen: Set<Shape>): boolean {
  if (seen.has(shape)) return false
  seen.add(shape)
  return shape.fields.some(({ required, type }) => {
    const child = type === undefined ? undefined : shapeOf(type)
    return required || (child !== undefined && hasRequired(child, seen))
  })
}
