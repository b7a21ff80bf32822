import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { validate } from '@readme/openapi-parser'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { type as ark } from 'arktype'
import protobuf from 'protobufjs'
import * as v from 'valibot'
import { z } from 'zod'
import { asyncapi, call, changes, defineService, describe, group, none, openapi, plain, proto, push } from '../../../src/contract/index.ts'
import { Shop } from './shop.ts'

const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

test('a description has the schemas of three libraries, stable names, and nothing else of the program', () => {
  const { methods, toClient, problems } = describe(Shop)
  assert.deepEqual(problems, [])
  assert.deepEqual(methods.map(({ route }) => route), ['/shop/buy', '/shop/price', '/shop/open', '/shop/tree', '/shop/users/get', '/shop/sum', '/shop/log', '/shop/quiet']) // biome-ignore format: one line
  assert.deepEqual(methods.find(({ name }) => name === 'tree')?.arg, {
    type: 'object',
    properties: { name: { type: 'string' }, children: { type: 'array', items: { $ref: '#/$defs/Self' } } },
    required: ['name', 'children'],
    $defs: {
      Self: {
        type: 'object',
        properties: { name: { type: 'string' }, children: { type: 'array', items: { $ref: '#/$defs/Self' } } },
        required: ['name', 'children'],
      },
    },
  })
  assert.equal(methods.find(({ name }) => name === 'users.get')?.deprecated, true)
  assert.deepEqual(toClient.map(({ name, kind }) => [name, kind]), [['sold', 'push'], ['name', 'call']]) // biome-ignore format: one line
  assert.deepEqual(copy(describe(Shop)), copy(describe(Shop)))
})

test('what JSON Schema cannot say is an error that names method, side and property, or is left open', () => {
  const Odd = defineService('odd', {
    zod: call(z.object({ when: z.date(), ok: z.string() }), none),
    ark: call(ark({ when: 'Date' }), none),
    morph: call(
      none,
      ark('string').pipe((text) => text.length),
    ),
    valibot: call(v.object({ a: v.string() }), none),
    fine: call(z.string(), none),
  })
  assert.throws(() => describe(Odd), {
    message:
      'service odd: zod, argument: when is a date, which JSON cannot say; ark, argument: it has a part (date) that JSON cannot say; ' +
      'morph, result: a morph does not say what it makes: add .to(…); ' +
      'valibot, argument: a schema of valibot has no JSON Schema: wrap it in toStandardJsonSchema of @valibot/to-json-schema',
  })
  const { methods, problems } = describe(Odd, { unknown: 'open' })
  assert.equal(problems.length, 4)
  assert.deepEqual(methods[0].arg?.properties, { when: {}, ok: { type: 'string' } })
  assert.deepEqual(methods[4].arg, { type: 'string' })
})

test('two parsers accept the OpenAPI document, and it is the same each time', async () => {
  const document = openapi(Shop, { servers: ['http://127.0.0.1:9000'], security: 'bearer' })
  assert.deepEqual(copy(document), copy(openapi(describe(Shop), { servers: ['http://127.0.0.1:9000'], security: 'bearer' })))
  const result = await validate(copy(document) as never)
  assert.equal(result.valid, true, JSON.stringify(result))
  const config = await createConfig({ extends: ['spec'] })
  const found = await lintFromString({ source: JSON.stringify(document), config })
  assert.deepEqual(found.map(({ ruleId, message }) => `${ruleId}: ${message}`), []) // biome-ignore format: one line
  const paths = document.paths as Record<string, Record<string, unknown>>
  assert.deepEqual(Object.keys(paths), [
    '/shop/buy',
    '/shop/price',
    '/shop/open',
    '/shop/tree',
    '/shop/users/get',
    '/shop/sum',
    '/shop/log',
  ])
  assert.deepEqual(Object.keys(paths['/shop/open']), ['get', 'post'])
  const { schemas } = document.components as { schemas: Record<string, unknown> }
  assert.deepEqual(Object.keys(schemas), [
    'Status', 'ShopBuyArgument', 'ShopBuyResult', 'ShopBuyOutOfStock', 'ShopOpenResult', 'ShopTreeArgument', 'ShopTreeArgumentSelf',
    'ShopTreeResult', 'ShopTreeResultSelf', 'ShopUsersGetArgument', 'ShopUsersGetResult', 'ShopSumArgument', 'ShopSumResult', 'ShopLogArgument',
  ]) // biome-ignore format: a list
})

test('OpenAPI 3.2 has a tag for each group of methods, below that of its service', async () => {
  const document = openapi(Shop, { openapi: '3.2' })
  assert.equal(document.openapi, '3.2.0')
  const found = await lintFromString({ source: JSON.stringify(document), config: await createConfig({ extends: ['spec'] }) })
  assert.deepEqual(found.map(({ ruleId, message }) => `${ruleId}: ${message}`), []) // biome-ignore format: one line
  assert.deepEqual(document.tags, [
    { name: 'shop', description: 'Sells.' },
    { name: 'shop.users', summary: 'users', parent: 'shop' },
  ])
  const paths = document.paths as Record<string, Record<string, { tags: string[] }>>
  assert.deepEqual([paths['/shop/users/get'].post.tags, paths['/shop/buy'].post.tags], [['shop.users'], ['shop']])
  assert.throws(() => openapi(Shop, { openapi: '3.0' as never }), { message: `option openapi must be '3.1' or '3.2', got "3.0"` })
})

test('tags of OpenAPI have the docs of their groups, and are those of methods that the document has', () => {
  const Users = defineService('users', {
    admin: group({ deep: group({ drop: call(none, none) }, { docs: 'Deeper.' }) }, { docs: 'For admins.', since: '1.1.0' }),
    events: group({ seen: push(none) }, { docs: 'What happens.' }),
    plain: group({ a: call(none, none) }),
  })
  const { groups } = describe(Users)
  assert.deepEqual(groups, [
    { name: 'admin', docs: 'For admins.', since: '1.1.0' },
    { name: 'admin.deep', docs: 'Deeper.' },
    { name: 'events', docs: 'What happens.' },
  ])
  const Log = defineService('log', { line: push(z.string()) }, { docs: 'Logs.' })
  assert.deepEqual(openapi([Users, Log], { openapi: '3.2' }).tags, [
    { name: 'users' },
    { name: 'users.admin', summary: 'admin', description: 'For admins.', parent: 'users' },
    { name: 'users.admin.deep', summary: 'deep', description: 'Deeper.', parent: 'users.admin' },
    { name: 'users.plain', summary: 'plain', parent: 'users' },
  ])
  assert.deepEqual(openapi([Users, Log]).tags, [{ name: 'users' }])
})

test('the AsyncAPI document matches the schema of AsyncAPI 3.0', () => {
  const require = createRequire(import.meta.url)
  const Ajv = require('ajv') as new (options: object) => { compile(schema: object): ((value: unknown) => boolean) & { errors: unknown } }
  const schema = require('@asyncapi/specs/schemas/3.0.0-without-$id.json') as object
  const check = new Ajv({ strict: false, validateFormats: false, logger: false, validateSchema: false }).compile(schema)
  const document = copy(asyncapi(Shop, { servers: { main: 'tcp://127.0.0.1:9000' } }))
  assert.ok(check(document), JSON.stringify(check.errors))
  assert.deepEqual(Object.keys(document.operations as object), ['shop.log', 'shop.quiet', 'shop.toClient.sold', 'shop.toClient.name'])
})

test('the .proto is read by protobufjs, and keeps numbers when fields come and go', () => {
  const Plain = defineService('plain', {
    save: call(
      z.object({ a: z.string(), b: z.number().optional(), c: z.object({ d: z.boolean() }), e: z.record(z.string(), z.number()) }),
      none,
    ),
    sum: call(plain<number[]>({ type: 'array', items: { type: 'number' } }), z.number().int()),
    note: push(z.object({ kind: z.enum(['x', 'y']), at: z.string().nullable(), deep: z.array(z.object({ n: z.int32() })) }), {
      docs: 'Notes { }.',
    }),
  })
  const text = proto(Plain, { goPackage: 'example.com/plain' })
  assert.equal(text, proto(describe(Plain), { goPackage: 'example.com/plain' }))
  const { root } = protobuf.parse(text, { keepCase: true })
  const fields = (name: string) =>
    root.lookupType(name).fieldsArray.map((field) => `${field.rule ?? ''} ${field.type} ${field.name} ${field.id}`.trim())
  assert.deepEqual(fields('SaveArgument'), ['string a 1', 'double b 2', 'SaveArgumentC c 3', 'double e 4'])
  assert.deepEqual(fields('SumArgument'), ['repeated double value 1'])
  assert.deepEqual(fields('SumResult'), ['int64 value 1'])
  assert.deepEqual(fields('NoteArgument'), ['string kind 1', 'string at 2', 'repeated NoteArgumentDeep deep 3'])
  assert.match(text, /optional double b = 2;/)
  assert.match(text, /\/\/ Notes \{ \}\.\n {2}\/\/ PUSH \/plain\/note\n {2}rpc Note\(NoteArgument\) returns \(google\.protobuf\.Empty\);/)
  const Later = defineService('plain', {
    save: call(z.object({ z: z.string(), b: z.number(), e: z.record(z.string(), z.number()) }), none),
  })
  const later = proto(Later, { previous: text })
  const type = protobuf.parse(later, { keepCase: true }).root.lookupType('SaveArgument')
  assert.deepEqual(type.fieldsArray.map(({ name, id }) => [name, id]), [['z', 5], ['b', 2], ['e', 4]]) // biome-ignore format: one line
  assert.match(later, /reserved 1, 3;/)
  assert.match(proto(Later, { previous: later }), /reserved 1, 3;/)
  const Union = defineService('union', {
    a: call(z.object({ x: z.union([z.string(), z.number()]) }), none),
    b: call(z.array(z.array(z.string())), none),
  })
  assert.throws(
    () => proto(Union),
    /service union has no \.proto: a, argument: x has several types.*; b, argument: value is a list of lists/,
  )
})

test('a reflected protobuf type keeps its numbers and types', () => {
  const { root } = protobuf.parse(
    `syntax = "proto3"; message Point { sint32 x = 3; repeated Point near = 7; map<string, bytes> more = 9; }`,
  )
  const Maps = defineService('maps', { put: call(root.lookupType('Point'), none) })
  const again = protobuf.parse(proto(Maps), { keepCase: true }).root.lookupType('PutArgument')
  assert.deepEqual(again.fieldsArray.map(({ name, id, type }) => [name, id, type]), [['x', 3, 'sint32'], ['near', 7, 'Point'], ['more', 9, 'bytes']]) // biome-ignore format: one line
})

test('a .proto has the keys of maps, and refuses groups, which proto3 does not have', () => {
  const typeOf = (text: string) => protobuf.parse(text).root.lookupType('M') as never
  const Maps = defineService('maps', {
    put: call(typeOf('syntax = "proto3"; message M { map<int32, sint64> m = 2; repeated int64 n = 3; }'), none),
  })
  assert.match(proto(Maps), /^ {2}map<int32, sint64> m = 2;\n {2}repeated int64 n = 3;$/m)
  const Groups = defineService('groups', { put: call(typeOf('syntax = "proto2"; message M { optional group G = 1 {} }'), none) })
  assert.throws(() => proto(Groups), /service groups has no \.proto: put, argument: g is a group, which proto3 does not have/)
})

test('changes tells what breaks from what does not', () => {
  const before = defineService('s', {
    a: call(z.object({ x: z.string(), y: z.number().optional() }), z.object({ p: z.string(), q: z.number() })),
    gone: call(none, none),
    enums: call(z.enum(['a', 'b']), z.enum(['a', 'b'])),
    same: call(z.object({ n: z.number() }), none),
  })
  const after = defineService(
    's',
    {
      a: call(
        z.object({ x: z.string(), y: z.number(), z: z.string().optional() }),
        z.object({ p: z.string().optional(), q: z.number(), r: z.string() }),
      ),
      enums: call(z.enum(['a', 'b', 'c']), z.enum(['a', 'b', 'c'])),
      same: call(z.object({ n: z.number() }), none, { deprecated: true }),
      fresh: push(z.string()),
    },
    { toClient: { ask: call(none, none) } },
  )
  const found = changes(before, after).map(({ breaking, method, text }) => `${breaking ? '!' : ' '} ${method} ${text}`)
  assert.deepEqual(found, [
    '! a argument: y is required, and may be missing',
    '! a result: p is required, and may be missing',
    '! gone was removed',
    '  enums argument: changed, and old peers can go on',
    '! enums result: the value may be "c", which is not expected',
    '  same is deprecated',
    '  fresh was added',
    '! toClient.ask was added: a call that old clients lack',
  ])
  assert.deepEqual(changes(Shop, describe(Shop)), [])
})
