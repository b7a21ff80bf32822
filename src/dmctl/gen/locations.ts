import type { Declaration, DeclarationKind } from './declarations.ts'

/** The parts of protoc's FileDescriptorProto that are read here, as protobufjs decodes them. */
export interface FileDescriptor {
  readonly name: string
  readonly package: string
  readonly messageType: readonly MessageDescriptor[]
  readonly enumType: readonly EnumDescriptor[]
  readonly service: readonly ServiceDescriptor[]
  readonly extension: readonly FieldDescriptor[]
  readonly sourceCodeInfo?: { readonly location: readonly Location[] } | null
}

interface Named {
  readonly name: string
}

export interface MessageDescriptor extends Named {
  readonly field: readonly FieldDescriptor[]
  readonly oneofDecl: readonly Named[]
  readonly nestedType: readonly MessageDescriptor[]
  readonly enumType: readonly EnumDescriptor[]
  readonly extension: readonly FieldDescriptor[]
}

interface FieldDescriptor extends Named {
  readonly type: number
  readonly options?: { readonly features?: object | null } | null
  readonly defaultValue?: string
}

interface EnumDescriptor extends Named {
  readonly value: readonly Named[]
}

interface ServiceDescriptor extends Named {
  readonly method: readonly Named[]
}

interface Location {
  readonly path: readonly number[]
  readonly span: readonly number[]
  readonly leadingComments?: string
  readonly trailingComments?: string
}

// Numbers of the descriptors' fields, of which paths consist.
const IN_FILE = { message: 4, enum: 5, service: 6 }
const IN_MESSAGE = { field: 2, message: 3, enum: 4, oneof: 8 }
const VALUE = 2
const METHOD = 2
const NAME = 1

const TYPE_STRING = 9
const TYPE_BYTES = 12

/** Adds what a file declares to `declared`, by full names, with the places and comments that its descriptor has. */
export function addLocations(file: FileDescriptor, declared: Map<string, Declaration>): void {
  const locations = new Map((file.sourceCodeInfo?.location ?? []).map((each) => [each.path.join('.'), each]))
  const add = (kind: DeclarationKind, scope: string, name: string, path: string, field?: FieldDescriptor): string => {
    const { leadingComments = '', trailingComments = '' } = locations.get(path) ?? {}
    const { span } = locations.get(`${path}.${NAME}`) ?? locations.get(path) ?? { span: [0, 0] }
    const full = scope === '' ? name : `${scope}.${name}`
    const place = { line: span[0] + 1, column: span[1] + 1 }
    declared.set(full, { kind, file: file.name, place, leading: leadingComments, trailing: trailingComments, ...defaultOf(field) })
    return full
  }
  const addEnum = (each: EnumDescriptor, scope: string, path: string): void => {
    const full = add('enum', scope, each.name, path)
    for (const [i, { name }] of each.value.entries()) add('value', full, name, `${path}.${VALUE}.${i}`)
  }
  const addMessage = (each: MessageDescriptor, scope: string, path: string): void => {
    const full = add('message', scope, each.name, path)
    for (const [i, { name }] of each.oneofDecl.entries()) add('oneof', full, name, `${path}.${IN_MESSAGE.oneof}.${i}`)
    for (const [i, field] of each.field.entries()) add('field', full, field.name, `${path}.${IN_MESSAGE.field}.${i}`, field)
    for (const [i, inner] of each.enumType.entries()) addEnum(inner, full, `${path}.${IN_MESSAGE.enum}.${i}`)
    for (const [i, inner] of each.nestedType.entries()) addMessage(inner, full, `${path}.${IN_MESSAGE.message}.${i}`)
  }
  for (const [i, each] of file.messageType.entries()) addMessage(each, file.package, `${IN_FILE.message}.${i}`)
  for (const [i, each] of file.enumType.entries()) addEnum(each, file.package, `${IN_FILE.enum}.${i}`)
  for (const [i, service] of file.service.entries()) {
    const full = add('service', file.package, service.name, `${IN_FILE.service}.${i}`)
    for (const [k, { name }] of service.method.entries()) add('method', full, name, `${IN_FILE.service}.${i}.${METHOD}.${k}`)
  }
}

/** A field's default as its text would be in the file. */
function defaultOf(field: FieldDescriptor | undefined): { default: readonly string[] } | undefined {
  if (!field?.defaultValue) return undefined
  const { type, defaultValue: text } = field
  if (type === TYPE_STRING) return { default: [`"${text.replaceAll('\\', '\\\\')}"`] }
  return { default: [type === TYPE_BYTES ? `"${text}"` : text] }
}
