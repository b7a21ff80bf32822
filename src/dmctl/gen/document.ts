import type protobufjs from 'protobufjs'
import { docText } from './comments.ts'
import type { Declaration } from './declarations.ts'
import { setDefault } from './defaults.ts'
import { isEnum, isService, isType } from './kinds.ts'

/** Gives every part of the files its comment, and fields their exact defaults, the same whoever has read them. */
export function documentParts(root: protobufjs.Root, declared: ReadonlyMap<string, Declaration>): void {
  const textFor = (name: string): string | null => {
    // Not everybody who reads protobuf's own files has their comments.
    const found = name.startsWith('google.protobuf.') ? undefined : declared.get(name)
    return found === undefined ? null : docText(found)
  }
  const visit = (object: protobufjs.ReflectionObject): void => {
    const name = object.fullName.slice(1)
    object.comment = textFor(name)
    if (isType(object)) {
      for (const field of object.fieldsArray) {
        const full = `${name}.${field.name}`
        field.comment = textFor(full)
        const literals = declared.get(full)?.default
        if (literals !== undefined) setDefault(field, literals)
      }
    }
    if (isService(object)) for (const method of object.methodsArray) method.comment = textFor(`${name}.${method.name}`)
    if (isEnum(object)) for (const value of Object.keys(object.values)) object.comments[value] = textFor(`${name}.${value}`)
    if ('nestedArray' in object) for (const each of (object as protobufjs.Namespace).nestedArray) visit(each)
  }
  visit(root)
}
