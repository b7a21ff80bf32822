import type protobufjs from 'protobufjs'
import type { Declaration } from './declarations.ts'
import { documentParts } from './document.ts'
import type { LoadedProto } from './load.ts'
import { addLocations, type FileDescriptor, type MessageDescriptor } from './locations.ts'
import { Source } from './source.ts'

/** A set of files of protoc, imports before those that import them. */
export class DescribedFiles {
  readonly #files: readonly FileDescriptor[]
  readonly #root: protobufjs.Root
  readonly #declared = new Map<string, Declaration>()

  private constructor(files: readonly FileDescriptor[], root: protobufjs.Root) {
    this.#files = files
    this.#root = root
    for (const file of files) {
      setFile(root, file)
      addLocations(file, this.#declared)
    }
    documentParts(root, this.#declared)
  }

  /** @param files decoded FileDescriptorProtos */
  static async read(files: readonly object[]): Promise<DescribedFiles> {
    await import('protobufjs/ext/descriptor.js')
    const { default: library } = await import('protobufjs')
    for (const file of files as FileDescriptor[]) replaceGroups(file)
    const root = library.Root.fromDescriptor({ file: files as FileDescriptor[] } as never, { keepCase: true })
    return new DescribedFiles(files as FileDescriptor[], root)
  }

  /** One of the files with all others; undefined if it is not there. */
  get(name: string): LoadedProto | undefined {
    const file = this.#files.find((each) => each.name === name)
    if (file === undefined) return undefined
    const sources = new Map(this.#files.map((each) => [each.name, new Source(each.name, '')]))
    const main = sources.get(name) as Source
    return { root: this.#root, main, sources, declared: this.#declared }
  }
}

const TYPE_GROUP = 10
const TYPE_MESSAGE = 11
const DELIMITED = 2

/** Makes fields with an encoding of groups: protobufjs would take other fields of their messages for groups too. */
function replaceGroups(file: FileDescriptor): void {
  const replace = (scope: Pick<MessageDescriptor, 'field' | 'extension'>): void => {
    for (const field of [...scope.field, ...scope.extension]) {
      if (field.type !== TYPE_GROUP) continue
      const options = { ...field.options, features: { ...field.options?.features, messageEncoding: DELIMITED } }
      Object.assign(field, { type: TYPE_MESSAGE, options })
    }
  }
  const waiting = [...file.messageType]
  replace({ field: [], extension: file.extension })
  for (let each = waiting.pop(); each !== undefined; each = waiting.pop()) {
    replace(each)
    waiting.push(...each.nestedType)
  }
}

/** Tells the parts of a file which one they are of. */
function setFile(root: protobufjs.Root, file: FileDescriptor): void {
  const set = (scope: string, name: string): string => {
    const full = scope === '' ? name : `${scope}.${name}`
    const part = root.lookup(`.${full}`)
    if (part !== null) part.filename = file.name
    return full
  }
  const setMessage = (each: MessageDescriptor, scope: string): void => {
    const full = set(scope, each.name)
    for (const inner of each.nestedType) setMessage(inner, full)
    for (const { name } of each.enumType) set(full, name)
  }
  for (const each of file.messageType) setMessage(each, file.package)
  for (const { name } of [...file.enumType, ...file.service]) set(file.package, name)
}
