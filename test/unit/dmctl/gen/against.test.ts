import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changes, type Service } from '../../../../src/contract/index.ts'
import { changesSince, type Version } from '../../../../src/dmctl/gen/against.ts'
import { loadProto } from '../../../../src/dmctl/gen/load.ts'
import { modelOf } from '../../../../src/dmctl/gen/model.ts'
import { generate, generateModule } from '../../../support/proto.ts'

async function version(text: string): Promise<Version> {
  const { at } = await generate({ 'a.proto': text })
  const loaded = await loadProto(`${at}/a.proto`, [])
  return { loaded, model: modelOf(loaded) }
}

async function report(before: string, after: string): Promise<string[]> {
  const found = await changesSince(await version(before), await version(after))
  return found.map(({ service, method, text, breaking }) => `${breaking ? '!' : ' '} ${service}.${method} ${text}`)
}

const head = 'syntax = "proto3";\nservice S { rpc Do(A) returns (B); }\n'
/** What a change of a field of the argument, and of the result, is. */
const field = (before: string, after: string): Promise<string[]> => {
  const of = (text: string): string =>
    `${head}enum E { E0 = 0; E1 = 1; }\nmessage A { ${text} }\nmessage B { ${text} }\nmessage C { int32 n = 1; }\n`
  return report(of(before), of(after))
}

test('fields that are added, removed or renamed break nobody', async () => {
  const fine = ['  S.do argument: changed, and old peers can go on', '  S.do result: changed, and old peers can go on']
  assert.deepEqual(await field('int32 x = 1;', 'int32 x = 1; string y = 2;'), fine)
  assert.deepEqual(await field('int32 x = 1; string y = 2;', 'int32 x = 1; reserved 2;'), fine)
  assert.deepEqual(await field('int32 x = 1;', 'int32 z = 1;'), fine)
  assert.deepEqual(await field('int32 x = 1;', 'uint64 x = 1;'), fine)
  assert.deepEqual(await field('int32 x = 1;', 'int32 x = 1;'), [])
})

test('another number, type, form or multiplicity breaks', async () => {
  const cases: [before: string, after: string, argument: string][] = [
    ['int32 x = 1;', 'int32 x = 2;', 'x is sent as number 1 and read as 2'],
    ['int32 x = 1;', 'string x = 1;', 'x (number 1) is sent as int32 and read as string'],
    ['int32 x = 1;', 'sint32 x = 1;', 'x (number 1) is sent as int32 and read as sint32'],
    ['int32 x = 1;', 'repeated int32 x = 1;', 'x (number 1) is sent as int32 and read as list of int32'],
    ['C x = 1;', 'int32 x = 1;', 'x (number 1) is sent as a message and read as int32'],
    [
      'map<string, int32> x = 1;',
      'map<int32, int32> x = 1;',
      'x (number 1) is sent as map of string to int32 and read as map of int32 to int32',
    ],
    ['repeated E x = 1;', 'repeated string x = 1;', 'x (number 1) is sent as list of an enum and read as list of string'],
  ]
  for (const [before, after, argument] of cases) {
    const [found, ...rest] = await field(before, after)
    assert.equal(found, `! S.do argument: ${argument}`, after)
    assert.equal(rest.length, 1)
    assert.match(rest[0], /^! S\.do result: /)
  }
})

test('what lies deeper is compared by numbers too, also in messages that hold themselves', async () => {
  const of = (text: string): string => `${head}message A { B b = 1; repeated A more = 2; map<string, B> by = 3; }\nmessage B { ${text} }\n`
  assert.deepEqual(await report(of('int32 x = 1;'), of('string x = 1;')), [
    '! S.do argument: b.x (number 1) is sent as int32 and read as string',
    '! S.do result: x (number 1) is sent as string and read as int32',
  ])
})

test('required fields and closed enums of proto2 bind both ways', async () => {
  const of = (text: string, values = ''): string => `syntax = "proto2";
service S { rpc Do(A) returns (A); }
enum E { E1 = 1; ${values} }
message A { ${text} }`
  assert.deepEqual(await report(of('optional int32 x = 1;'), of('required int32 x = 1;')), [
    '! S.do argument: x is required, and may be missing',
    '  S.do result: changed, and old peers can go on',
  ])
  assert.deepEqual(await report(of('required int32 x = 1;'), of('')), [
    '  S.do argument: changed, and old peers can go on',
    '! S.do result: x is required, and may be missing',
  ])
  assert.deepEqual(await report(of('optional E e = 1;'), of('optional E e = 1;', 'E2 = 2;')), [
    '  S.do argument: changed, and old peers can go on',
    '! S.do result: e may be 2, which is not expected',
  ])
})

test('delimited messages are no other messages', async () => {
  const of = (text: string): string => `edition = "2023";\nservice S { rpc Do(A) returns (A); }\nmessage A { A a = 1${text}; }`
  assert.deepEqual((await report(of(''), of(' [features.message_encoding = DELIMITED]')))[0],
    '! S.do argument: a (number 1) is sent as a message and read as a group') // biome-ignore format: one line
})

test('services and methods that come and go', async () => {
  const of = (services: string): string => `syntax = "proto3";\nmessage A {}\n${services}`
  assert.deepEqual(
    await report(
      of('service S { rpc Do(A) returns (A); rpc Old(A) returns (A); }\nservice Gone {}'),
      of('service S {\n  // PUSH\n  rpc Do(A) returns (A);\n  rpc New(A) returns (A);\n}\nservice Fresh {}'),
    ),
    ['! S.do was a call and is a push', '! S.old was removed', '  S.new was added', '! Gone. was removed', '  Fresh. was added'],
  )
})

test('generated contracts are compared the same', async () => {
  const of = (type: string) => generateModule<{ S: Service }>({ 'a.proto': `${head}message A { ${type} x = 1; }\nmessage B {}` })
  const found = changes((await of('int32')).S, (await of('string')).S)
  assert.deepEqual(found, [{ breaking: true, method: 'do', text: 'argument: x (number 1) is sent as int32 and read as string' }])
})
