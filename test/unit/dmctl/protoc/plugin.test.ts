import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, it } from 'node:test'
import protobuf from 'protobufjs'
import { parametersOf } from '../../../../src/dmctl/protoc/parameters.ts'
import { respond } from '../../../../src/dmctl/protoc/plugin.ts'
import { generate } from '../../../support/proto.ts'

interface Request {
  fileToGenerate: string[]
  parameter: string
  protoFile: { name: string; service: { method: { name: string; serverStreaming: boolean }[] }[] }[]
}

interface Response {
  error?: string
  supportedFeatures: number
  minimumEdition: number
  maximumEdition: number
  file?: { name: string; content: string }[]
}

const vector = JSON.parse(readFileSync(new URL('../../../vectors/protoc.json', import.meta.url), 'utf8')) as {
  file: string
  proto: string[]
  request: string
}
const request = Buffer.from(vector.request, 'hex')
const require = createRequire(import.meta.url)
const root = new protobuf.Root()
for (const name of ['descriptor', 'compiler/plugin']) root.addJSON(require(`protobufjs/google/protobuf/${name}.json`).nested)
const Requests = root.lookupType('google.protobuf.compiler.CodeGeneratorRequest')
const Responses = root.lookupType('google.protobuf.compiler.CodeGeneratorResponse')

/** The answer to protoc's request, after `change` of it. */
async function answer(change: (request: Request) => void = () => {}): Promise<Response> {
  const changed = Requests.decode(request) as unknown as Request
  change(changed)
  const bytes = await respond(Requests.encode(changed as never).finish())
  return Responses.toObject(Responses.decode(bytes), { longs: Number }) as Response
}

describe('protoc-gen-dmicro', () => {
  it("answers protoc's request with the text of dmctl gen, and with what it supports", async () => {
    const { file = [], ...rest } = await answer()
    assert.deepEqual(rest, { supportedFeatures: 3, minimumEdition: 998, maximumEdition: 1001 })
    const { text } = await generate({ [vector.file]: vector.proto.join('\n') })
    assert.deepEqual(file, [{ name: 'shop.ts', content: text }])
  })

  it('writes beside the .proto file, or with paths=flat into one folder', async () => {
    const rename = (request: Request, name: string): void => {
      request.fileToGenerate = [name]
      request.protoFile[0].name = name
    }
    const names = async (parameter: string) => {
      const { file } = await answer((request) => {
        rename(request, 'shop/v1/shop.proto')
        request.parameter = parameter
      })
      return file?.map(({ name }) => name)
    }
    assert.deepEqual(await names(''), ['shop/v1/shop.ts'])
    assert.deepEqual(await names('paths=source_relative'), ['shop/v1/shop.ts'])
    assert.deepEqual(await names('paths=flat,'), ['shop.ts'])
  })

  it('gives errors with the place that protoc knows, and still what it supports', async () => {
    const { error, file, supportedFeatures } = await answer(({ protoFile: [{ service }] }) => {
      service[0].method[0].serverStreaming = true
    })
    assert.equal(error, 'shop.proto:19:7: GetItem is a stream, which dmicro does not have')
    assert.deepEqual([file, supportedFeatures], [undefined, 3])
  })

  it('refuses requests that it cannot answer', async () => {
    assert.equal((await answer((each) => void (each.parameter = 'x=1'))).error, 'there is no parameter x; there is paths')
    assert.equal((await answer((each) => void (each.fileToGenerate = ['no.proto']))).error, 'the request has no descriptor of no.proto')
    await assert.rejects(respond(new Uint8Array(0)), /names no file/)
    await assert.rejects(respond(Buffer.from('syntax = "proto3";')))
    const two = await answer((each) => {
      each.parameter = 'paths=flat'
      each.protoFile.push({ ...each.protoFile[0], name: 'a/shop.proto', messageType: [], enumType: [], service: [] } as never)
      each.fileToGenerate.push('a/shop.proto')
    })
    assert.equal(two.error, 'two of the files would both be generated as shop.ts')
  })

  it('reads parameters', () => {
    assert.deepEqual(parametersOf(''), { paths: 'source_relative' })
    assert.deepEqual(parametersOf(' paths=flat '), { paths: 'flat' })
    assert.throws(() => parametersOf('paths'), /the parameter paths is source_relative or flat, got ""/)
    assert.throws(() => parametersOf('paths=flat=2'), /got "flat=2"/)
  })
})
