import type protobufjs from 'protobufjs'
import { textOf } from '../../base/errors/error-text.ts'
import type { Declaration } from './declarations.ts'
import { isService, isType } from './kinds.ts'
import type { Place, Source } from './source.ts'

type Sources = ReadonlyMap<string, Source>
type Declared = ReadonlyMap<string, Declaration>

/** Finds the types of fields, extensions and methods, so that one that is missing is reported where it is named. */
export function resolveNames(root: protobufjs.Root, sources: Sources, declared: Declared): void {
  const visit = (object: protobufjs.ReflectionObject): void => {
    const { filename } = object
    const source = filename === null ? undefined : sources.get(filename)
    if (isType(object)) for (const field of object.fieldsArray) resolveField(object, field, source, declared)
    if (isService(object)) for (const method of object.methodsArray) resolveMethod(method, source)
    if ('nestedArray' in object) for (const each of (object as protobufjs.Namespace).nestedArray) visit(each)
  }
  visit(root)
  try {
    root.resolveAll()
  } catch (error) {
    const name = /'extend (\S+)'/.exec(textOf(error))?.[1]
    for (const source of sources.values()) {
      const index = name === undefined ? -1 : source.indexOf(['extend', name])
      if (index >= 0) throw source.error(source.placeOfToken(index + 1), `no message is named ${name}`)
    }
    throw error
  }
  checkExtensions(root, sources)
}

/** The numbers of extensions are those that their messages have for them. */
function checkExtensions(namespace: protobufjs.NamespaceBase, sources: Sources): void {
  for (const each of namespace.nestedArray) {
    if ('nestedArray' in each) checkExtensions(each as protobufjs.NamespaceBase, sources)
    const { extensionField, filename, id, name } = each as protobufjs.Field
    const source = filename === null ? undefined : sources.get(filename)
    const type = extensionField?.parent
    if (source === undefined || !isType(type ?? null)) continue
    const ranges = (type as unknown as protobufjs.Type).extensions ?? []
    if (ranges.some(([from, to]) => id >= from && id <= to)) continue
    const index = source.indexOf([name, '='])
    throw source.error(source.placeOfToken(index), `${(type as unknown as protobufjs.Type).name} has no number ${id} for extensions`)
  }
}

function resolveField(type: protobufjs.Type, field: protobufjs.Field, source: Source | undefined, declared: Declared): void {
  try {
    field.resolve()
  } catch (error) {
    if (source === undefined) throw error
    const name = declared.get(`${type.fullName.slice(1)}.${field.name}`)
    throw source.error(
      name === undefined ? source.placeOfToken(-1) : placeOfType(source, name.place, field.type),
      reason(error, field.type),
    )
  }
}

/** The place of a field's type, which stands before its name. */
function placeOfType(source: Source, name: Place, type: string): Place {
  const isAt = (index: number, { line, column }: Place): boolean => {
    const place = source.placeOfToken(index)
    return place.line === line && place.column === column
  }
  const at = source.tokens.findIndex((_, i) => isAt(i, name))
  const found = source.tokens.findLastIndex(({ text }, i) => i < at && text === type)
  return found < 0 ? name : source.placeOfToken(found)
}

function resolveMethod(method: protobufjs.Method, source: Source | undefined): void {
  try {
    method.resolve()
  } catch (error) {
    if (source === undefined) throw error
    const missing = /no such type: (.+)$/.exec(textOf(error))?.[1] ?? method.requestType
    const index = source.indexOf([missing], source.indexOf(['rpc', method.name]) + 2)
    throw source.error(source.placeOfToken(index), reason(error, missing))
  }
}

function reason(error: unknown, type: string): string {
  return /^no such/.test(textOf(error)) ? `no message or enum is named ${type}` : textOf(error)
}
