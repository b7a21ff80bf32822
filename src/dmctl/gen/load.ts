import { readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import type protobufjs from 'protobufjs'
import { CommandError, Exit } from '../failure.ts'
import { checkRules } from './check.ts'
import { problemIn, syntaxOf } from './check-statements.ts'
import { addDeclarations, type Declaration } from './declarations.ts'
import { documentParts } from './document.ts'
import { joinOneofs, withoutGroups } from './groups.ts'
import { parseError } from './parse-error.ts'
import { resolveNames } from './resolve.ts'
import { type Place, Source } from './source.ts'

type Library = typeof protobufjs

/** A .proto file and all that it imports. */
export interface LoadedProto {
  readonly root: protobufjs.Root
  /** The file itself. */
  readonly main: Source
  /** All files by the names that protobufjs gives their parts, in the order of imports. */
  readonly sources: ReadonlyMap<string, Source>
  /** Declarations of the files by full names. */
  readonly declared: ReadonlyMap<string, Declaration>
}

const OPTIONS = { keepCase: true }

/**
 * Reads a .proto file and its imports, each looked for in `folders`, then in the current folder.
 *
 * @throws ProtoError for what is wrong in one of them, with its place
 */
export async function loadProto(file: string, folders: readonly string[]): Promise<LoadedProto> {
  const { default: library } = await import('protobufjs')
  if (!isFile(file)) throw new CommandError(Exit.BadFile, `there is no file ${file}`)
  const loader = new Loader(library, folders)
  const main = loader.load(file)
  resolveNames(loader.root, loader.sources, loader.declared)
  checkRules(loader.root, loader.declared)
  documentParts(loader.root, loader.declared)
  return { root: loader.root, main, sources: loader.sources, declared: loader.declared }
}

function isBefore(a: Place, b: Place): boolean {
  return a.line < b.line || (a.line === b.line && a.column < b.column)
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
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

  load(path: string): Source {
    const source = new Source(path, readFileSync(path, 'utf8'))
    this.sources.set(path, source)
    this.#open.push(path)
    const syntax = syntaxOf(source)
    // Imports come first, so that a name which two files declare is reported where it comes second.
    for (const index of importsOf(source)) this.#import(source, index)
    this.#open.pop()
    const parse = (text: string, into: protobufjs.Root): protobufjs.IParserResult => {
      // The parser takes the name of the file from itself, which its declarations leave out.
      Object.assign(this.#library.parse, { filename: path })
      const plain = withoutGroups(new Source(path, text))
      const result = this.#library.parse(plain.text, into, OPTIONS)
      joinOneofs(into, path, plain.parts)
      return result
    }
    const problem = problemIn(source, syntax)
    try {
      const { package: name } = parse(source.text, this.root)
      addDeclarations(source, name ?? '', this.declared)
    } catch (error) {
      const found = parseError(source, error, (text) => parse(text, new this.#library.Root()))
      throw problem !== undefined && !isBefore(found.place, problem.place) ? problem : found
    }
    if (problem !== undefined) throw problem
    return source
  }

  #import(from: Source, index: number): void {
    const place = from.placeOfToken(index)
    const name = from.tokens[index].text.slice(1, -1)
    const folders = [...this.#folders, '.']
    const found = folders.map((folder) => join(folder, name)).find(isFile)
    // The file may have been named by another path.
    const path = [...this.sources.keys()].find((each) => found !== undefined && resolve(each) === resolve(found)) ?? found
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

/** Indexes of the tokens that name imported files. */
function importsOf({ tokens }: Source): number[] {
  return tokens.flatMap(({ text }, i) => {
    if (text !== 'import' || ![undefined, ';', '}'].includes(tokens[i - 1]?.text)) return []
    const at = ['public', 'weak', 'option'].includes(tokens[i + 1]?.text ?? '') ? i + 2 : i + 1
    return /^["'].*["']$/.test(tokens[at]?.text ?? '') ? [at] : []
  })
}
