import type protobufjs from 'protobufjs'
import type { Declaration } from './declarations.ts'
import { defaultProblem } from './defaults.ts'
import { isEnum, isExtension, isType } from './kinds.ts'
import { ProtoError } from './source.ts'

type Declared = ReadonlyMap<string, Declaration>

/**
 * Refuses what protoc refuses and our parser takes.
 *
 * @throws ProtoError for the first of them
 */
export function checkRules(root: protobufjs.Root, declared: Declared): void {
  const values = new Map<string, string>()
  const visit = (object: protobufjs.ReflectionObject): void => {
    if (isEnum(object)) checkEnum(object, declared, values)
    if (isType(object)) for (const field of object.fieldsArray) if (!isExtension(field)) checkField(object, field, declared)
    if ('nestedArray' in object) for (const each of (object as protobufjs.Namespace).nestedArray) visit(each)
  }
  visit(root)
}

/** @param values enums of the values seen, by the names that they have beside their enum */
function checkEnum(object: protobufjs.Enum, declared: Declared, values: Map<string, string>): void {
  const name = object.fullName.slice(1)
  // Only of the files that were read: protobuf's own have no places here.
  if (!declared.has(name)) return
  const [first, ...rest] = Object.keys(object.values)
  if (first === undefined) {
    if (declared.has(`${name}.__proto__`)) return // refused by its name
    throw at(declared, name, `the enum ${object.name} has no value`)
  }
  if (isOpen(object) && object.values[first] !== 0) throw at(declared, `${name}.${first}`, `the first value of ${object.name} must be 0`)
  for (const value of [first, ...rest]) {
    const number = object.values[value]
    if ((number | 0) !== number) throw at(declared, `${name}.${value}`, `the number of ${value} must be -2147483648 to 2147483647`)
    const scope = name.slice(0, Math.max(0, name.lastIndexOf('.')))
    const other = values.get(`${scope}.${value}`)
    if (other !== undefined)
      throw at(declared, `${name}.${value}`, `the enums ${other} and ${object.name} both have a value ${value}, and stand side by side`)
    values.set(`${scope}.${value}`, object.name)
  }
}

function checkField(type: protobufjs.Type, field: protobufjs.Field, declared: Declared): void {
  const name = `${type.fullName.slice(1)}.${field.name}`
  if (!declared.has(name)) return
  const refuse = (text: string): never => {
    throw at(declared, name, text)
  }
  if (field.options?.default !== undefined && !field.hasPresence) refuse(`${field.name} can have no default, because it is never absent`)
  const literals = declared.get(name)?.default
  if (literals !== undefined && isType(field.resolvedType)) refuse(`${field.name} can have no default, because it is a message`)
  const wanted = literals === undefined ? undefined : defaultProblem(field, literals)
  if (wanted !== undefined) refuse(`the default of ${field.name} must be ${wanted}, got ${literals?.join(' ')}`)
  const isPackable = field.repeated && !isType(field.resolvedType) && field.type !== 'string' && field.type !== 'bytes'
  if (field.options?.packed === true && !isPackable) refuse(`${field.name} cannot be packed, as only lists of numbers, bools and enums can`)
  const range = type.extensions?.find(([from, to]) => field.id >= from && field.id <= to)
  if (range !== undefined) refuse(`the number of ${field.name} is one of extensions, ${range.join(' to ')}`)
}

function at(declared: Declared, name: string, text: string): ProtoError {
  const { file, place } = declared.get(name) ?? { file: '', place: { line: 1, column: 1 } }
  return new ProtoError(file, place, text)
}

function isOpen(object: protobufjs.Enum): boolean {
  return (object as unknown as { _features: { enum_type: string } })._features.enum_type === 'OPEN'
}
