import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type protobufjs from 'protobufjs'
import { textOf } from '../../base/errors/error-text.ts'
import { CommandError, Exit } from '../failure.ts'
import { docText } from './comments.ts'
import { addDeclarations, type Declaration } from './declarations.ts'
import { setDefault } from './defaults.ts'
import { protoName } from './names.ts'
import { parseError } from './parse-error.ts'
import { Source } from './source.ts'

type Library = typeof protobufjs

/** A .proto file and all that it imports. */
export interface LoadedProto {
  readonly root: protobufjs.Root
  /** Package of the file itself; '' for none. */
  readonly packageName: string
  /** The file itself. */
  readonly main: Source
  /** All files by the names that protobufjs gives their parts, in the order of imports. */
  readonly sources: ReadonlyMap<string, Source>
  /** Declarations of the files by full names. */
  readonly declared: ReadonlyMap<string, Declaration>
}

const OPTIONS = { keepCase: true }
const EDITIONS = ['2023', '2024']

/**
 * Reads a .proto file and its imports, each looked for beside the files given, then in `folders`.
 *
 * @throws ProtoError for what is wrong in one of them, with its place
 */
export async function loadProto(file: string, folders: readonly string[]): Promise<LoadedProto> {
  const { default: library } = await import('protobufjs')
  if (!existsSync(file)) throw new CommandError(Exit.BadFile, `there is no file ${file}`)
  const loader = new Loader(library, folders)
  const { main, packageName } = loader.load(file)
  resolveNames(loader.root, loader.sources)
  documentParts(loader.root, loader.declared)
  return { root: loader.root, packageName, main, sources: loader.sources, declared: loader.declared }
}

class Loader {
  readonly root: protobufjs.Root
  readonly sources = new Map<string, Source>()
  readonly declared = new Map<string, Declaration>()
  readonly #library: Library
  readonly #folders: readonly string[]
  /** Files that are being read, outermost first: name in the import, path. */
  readonly #open: string[] = []

  constructor(library: Library, folders: readonly string[]) {
    this.#library = library
    this.#folders = folders
    this.root = new library.Root()
  }

  load(path: string): { main: Source; packageName: string } {
    const source = new Source(path, readFileSync(path, 'utf8'))
    this.sources.set(path, source)
    this.#open.push(path)
    checkSyntax(source)
    // Imports come first, so that a name which two files declare is reported where it comes second.
    for (const index of importsOf(source)) this.#import(source, index)
    this.#open.pop()
    const parse = (text: string, into: protobufjs.Root): protobufjs.IParserResult => {
      // The parser takes the name of the file from itself, which its declarations leave out.
      Object.assign(this.#library.parse, { filename: path })
      return this.#library.parse(text, into, OPTIONS)
    }
    try {
      const packageName = parse(source.text, this.root).package ?? ''
      addDeclarations(source, packageName, this.declared)
      return { main: source, packageName }
    } catch (error) {
      throw parseError(source, error, (text) => parse(text, new this.#library.Root()))
    }
  }

  #import(from: Source, index: number): void {
    const place = from.placeOfToken(index)
    const name = from.tokens[index].text.slice(1, -1)
    const folders = ['.', ...this.#folders]
    const path = folders.map((folder) => join(folder, name)).find(existsSync)
    if (path === undefined) {
      const known = this.#known(name)
      if (known === undefined) {
        throw from.error(place, `cannot find '${name}', looked in ${folders.join(', ')}; other folders are given with --include`)
      }
      if (!this.sources.has(name)) this.root.addJSON(known.nested ?? {})
      this.sources.set(name, new Source(name, ''))
      return
    }
    const at = this.#open.indexOf(path)
    if (at >= 0) throw from.error(place, `circular import: ${[...this.#open.slice(at), path].join(' > ')}`)
    if (!this.sources.has(path)) this.load(path)
  }

  /** The file of that name that every copy of protobuf has; undefined for other names. */
  #known(name: string): protobufjs.INamespace | undefined {
    const common = this.#library.common.get(name) ?? undefined
    if (common !== undefined || !/^google\/protobuf\/(api|descriptor|source_context|type)\.proto$/.test(name)) return common
    return createRequire(import.meta.url)(`protobufjs/${name.replace('.proto', '.json')}`) as protobufjs.INamespace
  }
}

/** The parser takes any word as the syntax. */
function checkSyntax(source: Source): void {
  const [kind, , value] = source.tokens.slice(0, 3).map(({ text }) => text)
  if ((kind !== 'syntax' && kind !== 'edition') || value === undefined || !/^["']/.test(value)) return
  const allowed = kind === 'syntax' ? ['proto2', 'proto3'] : EDITIONS
  if (allowed.includes(value.slice(1, -1))) return
  const text = `expected ${kind} ${allowed.map((each) => `"${each}"`).join(' or ')}, got "${value.slice(1, -1)}"`
  throw source.error(source.placeOfToken(2), text)
}

/** Indexes of the tokens that name imported files. */
function importsOf({ tokens }: Source): number[] {
  return tokens.flatMap(({ text }, i) => {
    if (text !== 'import' || ![undefined, ';', '}'].includes(tokens[i - 1]?.text)) return []
    const at = ['public', 'weak', 'option'].includes(tokens[i + 1]?.text ?? '') ? i + 2 : i + 1
    return /^["'].*["']$/.test(tokens[at]?.text ?? '') ? [at] : []
  })
}

/** Finds the types of fields and methods, so that one that is missing is reported where it is named. */
function resolveNames(root: protobufjs.Root, sources: ReadonlyMap<string, Source>): void {
  const visit = (object: protobufjs.ReflectionObject): void => {
    const { filename } = object
    const source = filename === null ? undefined : sources.get(filename)
    if (isType(object)) for (const field of object.fieldsArray) resolveField(field, source)
    if (isService(object)) for (const method of object.methodsArray) resolveMethod(method, source)
    if ('nestedArray' in object) for (const each of (object as protobufjs.Namespace).nestedArray) visit(each)
  }
  visit(root)
  root.resolveAll()
}

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
        const full = `${name}.${protoName(field)}`
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

function resolveField(field: protobufjs.Field, source: Source | undefined): void {
  try {
    field.resolve()
  } catch (error) {
    if (source === undefined) throw error
    const rest = [field.name, '=', String(field.id)]
    const index = Math.max(source.indexOf([field.type, ...rest]), source.indexOf([field.type, '>', ...rest]))
    throw source.error(source.placeOfToken(index), reason(error, field.type))
  }
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

export function isType(object: protobufjs.ReflectionObject | null): object is protobufjs.Type {
  return object !== null && 'fieldsArray' in object && 'oneofs' in object
}

export function isService(object: protobufjs.ReflectionObject): object is protobufjs.Service {
  return 'methodsArray' in object
}

export function isEnum(object: protobufjs.ReflectionObject | null): object is protobufjs.Enum {
  return object !== null && 'valuesById' in object
}
