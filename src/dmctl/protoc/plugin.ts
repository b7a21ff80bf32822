import { createRequire } from 'node:module'
import { basename } from 'node:path/posix'
import type protobufjs from 'protobufjs'
import { DescribedFiles } from '../gen/from-descriptors.ts'
import { modelOf } from '../gen/model.ts'
import { typescriptOf } from '../gen/typescript.ts'
import { parametersOf } from './parameters.ts'

/** The part of google.protobuf.compiler.CodeGeneratorRequest that is read. */
interface Request {
  readonly fileToGenerate: readonly string[]
  readonly parameter?: string
  readonly protoFile: readonly object[]
}

interface File {
  readonly name: string
  readonly content: string
}

const PROTO3_OPTIONAL = 1
const SUPPORTS_EDITIONS = 2
/** `EDITION_PROTO2` and `EDITION_2024`. */
const EDITIONS = { minimumEdition: 998, maximumEdition: 1001 }
const FEATURES = { supportedFeatures: PROTO3_OPTIONAL | SUPPORTS_EDITIONS, ...EDITIONS }

/**
 * Answers a request of protoc or buf. A mistake in a .proto file or in the parameters is the answer's `error`, which
 * protoc prints.
 *
 * @param bytes a CodeGeneratorRequest
 * @returns a CodeGeneratorResponse
 * @throws Error for bytes that are no request
 */
export async function respond(bytes: Uint8Array): Promise<Uint8Array> {
  const { request: Requests, response: Responses } = await messageTypes()
  const request = Requests.decode(bytes) as unknown as Request
  if (request.fileToGenerate.length === 0) throw new Error('the request names no file')
  const answer = await generate(request).then(
    (file) => ({ ...FEATURES, file }),
    (error: Error) => ({ ...FEATURES, error: error.message }),
  )
  return Responses.encode(Responses.fromObject(answer)).finish()
}

async function generate({ fileToGenerate, parameter = '', protoFile }: Request): Promise<File[]> {
  const { paths } = parametersOf(parameter)
  const files = await DescribedFiles.read(protoFile)
  const outputs = fileToGenerate.map((name): File => {
    const loaded = files.get(name)
    if (loaded === undefined) throw new Error(`the request has no descriptor of ${name}`)
    const path = name.replace(/\.proto$/, '')
    return { name: `${paths === 'flat' ? basename(path) : path}.ts`, content: typescriptOf(loaded, modelOf(loaded), name) }
  })
  const names = outputs.map((each) => each.name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new Error(`two of the files would both be generated as ${twice}`)
  return outputs
}

async function messageTypes(): Promise<{ request: protobufjs.Type; response: protobufjs.Type }> {
  const { default: library } = await import('protobufjs')
  const require = createRequire(import.meta.url)
  const root = new library.Root()
  for (const name of ['descriptor', 'compiler/plugin'])
    root.addJSON((require(`protobufjs/google/protobuf/${name}.json`) as protobufjs.INamespace).nested ?? {})
  const typeOf = (name: string): protobufjs.Type => root.lookupType(`google.protobuf.compiler.CodeGenerator${name}`)
  return { request: typeOf('Request'), response: typeOf('Response') }
}
