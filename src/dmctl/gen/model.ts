import type protobufjs from 'protobufjs'
import { controllerName, httpName } from '../../message/naming.ts'
import { isEnum, isExtension, isService, isType } from './kinds.ts'
import type { LoadedProto } from './load.ts'
import { declarable, fieldName } from './names.ts'
import { ProtoError } from './source.ts'

/** The parts that are generated of a .proto file: names are those of TypeScript, in the order of the file. */
export interface Model {
  readonly messages: readonly MessageModel[]
  readonly enums: readonly EnumModel[]
  readonly services: readonly ServiceModel[]
}

export interface MessageModel {
  readonly name: string
  readonly input: string
  readonly type: protobufjs.Type
  readonly fields: readonly FieldModel[]
}

export interface FieldModel {
  readonly name: string
  readonly field: protobufjs.Field
  /** Name of the field's message or enum; undefined for a scalar. */
  readonly refers: MessageName | undefined
}

interface MessageName {
  readonly name: string
  readonly input: string
}

export interface EnumModel {
  readonly name: string
  readonly enum: protobufjs.Enum
}

export interface ServiceModel {
  readonly name: string
  readonly service: protobufjs.Service
  readonly methods: readonly MethodModel[]
}

export interface MethodModel {
  readonly name: string
  readonly kind: 'call' | 'push'
  readonly method: protobufjs.Method
  /** Names of the bodies; undefined for google.protobuf.Empty. */
  readonly arg: string | undefined
  readonly result: string | undefined
}

const EMPTY = '.google.protobuf.Empty'

/** A method whose comment has a line that begins with this word is a push. */
const PUSH = /^PUSH\b/m
const MAX_NUMBER = 2 ** 29 - 1

/**
 * Names everything that is generated.
 *
 * @throws ProtoError for names that clash in TypeScript, for numbers no field may have, and for streams
 */
export function modelOf(loaded: LoadedProto): Model {
  return new Modeller(loaded).model()
}

class Modeller {
  readonly #loaded: LoadedProto
  readonly #names = new Map<protobufjs.ReflectionObject, MessageName>()
  readonly #owners = new Map<string, protobufjs.ReflectionObject>()

  constructor(loaded: LoadedProto) {
    this.#loaded = loaded
  }

  model(): Model {
    this.#checkDeclared()
    const isMain = ({ filename }: protobufjs.ReflectionObject): boolean => filename === this.#loaded.main.file
    const all = everything(this.#loaded.root)
    const services = all.filter(isService).filter(isMain)
    const needed = neededBy(all.filter((each) => isMain(each) && (isType(each) || isEnum(each) || isService(each))))
    const every = [...all.filter(isType), ...all.filter(isEnum)].filter((each) => needed.has(each) && each.fullName !== EMPTY)
    const own = every.filter(isMain)
    // In which order imported files are read depends on who reads them.
    const imported = every.filter((each) => !isMain(each)).sort((a, b) => (a.fullName < b.fullName ? -1 : 1))
    const types = [...imported, ...own]
    // The file's own names are the plain ones.
    for (const each of [...services, ...own, ...imported]) this.#name(each)
    return {
      messages: types.filter(isType).map((type) => this.#message(type)),
      enums: types.filter(isEnum).map((each) => ({ name: this.#nameOf(each).name, enum: each })),
      services: services.map((service) => this.#service(service)),
    }
  }

  #name(object: protobufjs.ReflectionObject): void {
    const path = object.fullName.slice(1)
    const short = path.slice(packageOf(object).length).replace(/^\./, '').replaceAll('.', '_')
    const long = path.replaceAll('.', '_')
    const free = [short, long].map(declarable).find((each) => !this.#owners.has(each))
    if (free === undefined) {
      const other = this.#owners.get(declarable(short)) as protobufjs.ReflectionObject
      throw this.#error(object, `${path} and ${other.fullName.slice(1)} would both be named ${declarable(short)}`)
    }
    this.#owners.set(free, object)
    const wanted = `${free}Input`
    const input = isType(object) && this.#isDeclared(wanted) ? `${free}$Input` : wanted
    this.#names.set(object, { name: free, input: isType(object) ? input : free })
  }

  /** Whether a message or enum of the files is named so. */
  #isDeclared(name: string): boolean {
    return this.#owners.has(name) || everything(this.#loaded.root).some((each) => each.name === name && !isService(each))
  }

  #nameOf(object: protobufjs.ReflectionObject): MessageName {
    return this.#names.get(object) as MessageName
  }

  #message(type: protobufjs.Type): MessageModel {
    const byName = new Map<string, protobufjs.Field>()
    for (const field of type.fieldsArray.filter((each) => !isExtension(each))) {
      this.#checkNumber(field)
      const name = fieldName(field.name)
      const other = byName.get(name)
      if (other !== undefined)
        throw this.#error(field, `the fields ${other.name} and ${field.name} of ${type.name} would both be named ${name}`)
      byName.set(name, field)
    }
    const fields = [...byName].map(([name, field]) => ({ name, field, refers: this.#refers(field) }))
    return { ...this.#nameOf(type), type, fields }
  }

  #refers({ resolvedType }: protobufjs.Field): MessageName | undefined {
    if (resolvedType === null) return undefined
    return this.#names.get(resolvedType) ?? { name: 'Record<never, never>', input: 'Record<never, never>' }
  }

  #checkNumber(field: protobufjs.Field): void {
    const { id, name } = field
    if (id < 1 || id > MAX_NUMBER) throw this.#error(field, `the number of ${name} must be 1 to ${MAX_NUMBER}, got ${id}`)
    if (id >= 19_000 && id <= 19_999) throw this.#error(field, `the number of ${name} is reserved by protobuf: ${id}`)
    const type = field.parent as protobufjs.Type
    if (isType(type) && type.isReservedId(id)) throw this.#error(field, `number ${id} is reserved in message ${type.name}`)
    if (isType(type) && type.isReservedName(name)) throw this.#error(field, `name ${name} is reserved in message ${type.name}`)
  }

  #service(service: protobufjs.Service): ServiceModel {
    const byName = new Map<string, protobufjs.Method>()
    const byRoute = new Map<string, protobufjs.Method>()
    const methods = service.methodsArray.map((method): MethodModel => {
      const name = methodName(method.name)
      const other = byName.get(name)
      if (other !== undefined)
        throw this.#error(method, `the methods ${other.name} and ${method.name} of ${service.name} would both be named ${name}`)
      byName.set(name, method)
      const route = controllerName(httpName, '', service.name, name)
      const same = byRoute.get(route)
      if (same !== undefined)
        throw this.#error(method, `the methods ${same.name} and ${method.name} of ${service.name} would both be at ${route}`)
      byRoute.set(route, method)
      if (name === 'then' || name === 'constructor')
        throw this.#error(method, `no method may be named ${method.name}: clients have a member ${name}`)
      if (method.requestStream || method.responseStream) throw this.#error(method, `${method.name} is a stream, which dmicro does not have`)
      const kind = PUSH.test(method.comment ?? '') ? 'push' : 'call'
      return { name, kind, method, arg: this.#body(method.resolvedRequestType), result: this.#body(method.resolvedResponseType) }
    })
    return { name: this.#nameOf(service).name, service, methods }
  }

  #body(type: protobufjs.Type | null): string | undefined {
    return type === null || type.fullName === EMPTY ? undefined : this.#nameOf(type).name
  }

  #checkDeclared(): void {
    for (const [name, { kind, file, place }] of this.#loaded.declared)
      if (/(^|\.)__proto__$/.test(name)) throw new ProtoError(file, place, `no ${kind} may be named __proto__`)
  }

  #error(object: protobufjs.ReflectionObject, text: string): Error {
    const { parent } = object
    const field = parent !== null && isType(parent) && 'id' in object ? (object as protobufjs.Field) : undefined
    const name = field === undefined ? object.fullName.slice(1) : `${(parent as protobufjs.Type).fullName.slice(1)}.${field.name}`
    const found = this.#loaded.declared.get(name)
    if (found === undefined) return new ProtoError(this.#loaded.main.file, { line: 1, column: 1 }, text)
    return new ProtoError(found.file, found.place, text)
  }
}

/** Lower camel case, where the route stays that of the name as it is written. */
function methodName(name: string): string {
  const lower = name[0].toLowerCase() + name.slice(1)
  return httpName('', lower) === httpName('', name) ? lower : name
}

/** All parts below `root`. Enums come after the messages beside them, as protoc has them. */
function everything(root: protobufjs.NamespaceBase): protobufjs.ReflectionObject[] {
  const ordered = [...root.nestedArray.filter((each) => !isEnum(each)), ...root.nestedArray.filter(isEnum)]
  return ordered.flatMap((each) => [each, ...('nestedArray' in each ? everything(each as protobufjs.Namespace) : [])])
}

/** These, the types that they refer to, and those in which one of them is declared. */
function neededBy(parts: readonly protobufjs.ReflectionObject[]): Set<protobufjs.ReflectionObject> {
  const needed = new Set<protobufjs.ReflectionObject>()
  const waiting: (protobufjs.ReflectionObject | null)[] = [...parts]
  for (let each = waiting.pop(); each !== undefined; each = waiting.pop()) {
    if (each === null || needed.has(each)) continue
    needed.add(each)
    if (isService(each)) waiting.push(...each.methodsArray.flatMap((method) => [method.resolvedRequestType, method.resolvedResponseType]))
    if (isType(each)) waiting.push(...each.fieldsArray.filter((field) => !isExtension(field)).map((field) => field.resolvedType))
    if (each.parent !== null && isType(each.parent)) waiting.push(each.parent)
  }
  return needed
}

/** The package of a part of a file, with a dot before each name but the first; '' for none. */
function packageOf(object: protobufjs.ReflectionObject): string {
  let outermost = object
  while (outermost.parent !== null && (isType(outermost.parent) || isService(outermost.parent))) outermost = outermost.parent
  return outermost.parent?.fullName.slice(1) ?? ''
}
