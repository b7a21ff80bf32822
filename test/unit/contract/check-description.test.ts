import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asyncapi, changes, describe, golang, openapi, proto, type ServiceDescription } from '../../../src/contract/index.ts'
import { checkServices } from '../../../src/dmctl/described.ts'
import { Shop } from './shop.ts'

// biome-ignore lint/suspicious/noExplicitAny: what anybody may have sent
type Any = any

const base = (): Any => JSON.parse(JSON.stringify(describe(Shop)))
const QUOTE = '`'

/** Changes that make a description bad, by what is said of them. */
const BAD: [string, (description: Any) => void][] = [
  ['name must be letters, digits and _, got "a b"', (d) => Object.assign(d, { name: 'a b' })],
  ['version must be a text, got 1', (d) => Object.assign(d, { version: 1 })],
  ['docs must be a text, got {}', (d) => Object.assign(d, { docs: {} })],
  ['methods must be a list, got nothing', (d) => delete d.methods],
  ['toClient must be a list, got nothing', (d) => delete d.toClient],
  ['groups[0].docs must be a text, got 1', (d) => Object.assign(d, { groups: [{ name: 'users', docs: 1 }] })],
  [
    'methods[1].name must be names of methods and groups with dots between them, got "a\\n}"',
    (d) => Object.assign(d.methods[1], { name: 'a\n}' }),
  ],
  [
    'methods[0].name must be names of methods and groups with dots between them, got "then"',
    (d) => Object.assign(d.methods[0], { name: 'then' }),
  ],
  ['methods[1].name is that of another method, "buy"', (d) => Object.assign(d.methods[1], { name: 'buy' })],
  ['methods[1].route is that of another method, "/shop/buy"', (d) => Object.assign(d.methods[1], { route: '/shop/buy' })],
  ['methods[0].kind must be "call" or "push", got "pull"', (d) => Object.assign(d.methods[0], { kind: 'pull' })],
  ['methods[0].arg must be an object, got nothing', (d) => delete d.methods[0].arg],
  ['methods[0].arg must be an object, got []', (d) => Object.assign(d.methods[0], { arg: [] })],
  ['methods[0].codec must be a text that is not empty, got 7', (d) => Object.assign(d.methods[0], { codec: 7 })],
  [
    'methods[0].errors[0].code must be an int32, got "1\\nvar harmless = 2"',
    (d) => Object.assign(d.methods[0].errors[0], { code: '1\nvar harmless = 2' }),
  ],
  ['methods[0].errors[0].code must be an int32, got 1.5', (d) => Object.assign(d.methods[0].errors[0], { code: 1.5 })],
  ['methods[0].errors[0].message must be a text, got null', (d) => Object.assign(d.methods[0].errors[0], { message: null })],
  [
    'methods[0].arg.x-protobuf.message must be letters, digits and _, got "M {}"',
    (d) => Object.assign(d.methods[0].arg, { 'x-protobuf': { message: 'M {}' } }),
  ],
  [
    `methods[0].arg.properties.name.x-protobuf.id must be a number from 1 to 536870911, got "1${QUOTE}"`,
    (d) => Object.assign(d.methods[0].arg.properties.name, { 'x-protobuf': { id: `1${QUOTE}`, type: 'int32' } }),
  ],
  [
    'methods[0].arg.properties.name.x-protobuf.type must be the name of a type of protobuf, got "a b"',
    (d) => Object.assign(d.methods[0].arg.properties.name, { 'x-protobuf': { id: 1, type: 'a b' } }),
  ],
  ['methods[0].arg.required[0] must be a text, got 1', (d) => Object.assign(d.methods[0].arg, { required: [1] })],
  ['methods[0].arg.properties.name must be an object, got null', (d) => Object.assign(d.methods[0].arg.properties, { name: null })],
  ['methods[0].arg.$defs has no member that may be named "a b"', (d) => Object.assign(d.methods[0].arg, { $defs: { 'a b': {} } })],
  [
    'methods[0].arg.$defs.A is only itself',
    (d) =>
      Object.assign(d.methods[0], {
        arg: { $ref: '#/$defs/A', $defs: { A: { $ref: '#/$defs/B' }, B: { allOf: [{ $ref: '#/$defs/A' }] } } },
      }),
  ],
]

test('a description of anybody is checked before it is used, and the place of what is wrong is named', () => {
  for (const [text, spoil] of BAD) {
    const description = base()
    spoil(description)
    assert.throws(() => checkServices([{ dmicro: 2 }, null, description]), { name: 'TypeError', message: `services[2].${text}` })
  }
  const deep = base()
  for (let i = 0; i < 200; i++) deep.methods[0].arg = { type: 'array', items: deep.methods[0].arg }
  assert.throws(() => checkServices([deep]), /is nested too deep$/)
  assert.deepEqual(checkServices([base()]), [base()])
})

test('all that is made of a description checks it', () => {
  const description: ServiceDescription = base()
  Object.assign(description.methods[0].errors?.[0] ?? {}, { code: '1' })
  const message = 'service shop.methods[0].errors[0].code must be an int32, got "1"'
  for (const make of [golang, openapi, asyncapi, proto, (each: ServiceDescription) => changes(Shop, each)])
    assert.throws(() => make(description), { name: 'TypeError', message })
})

test('a text with line breaks stays in its comment', () => {
  const description: ServiceDescription = { ...base(), version: '1\nfunc harmless() {}', docs: 'One.\u2028two\rthree' }
  for (const line of golang(description).split(/[\n\r\u2028]/)) assert.doesNotMatch(line, /^\s*(func harmless|two|three)/)
  description.methods = [{ ...description.methods[0], docs: 'One.\rmessage Harmless {}\u2028message Other {}' }]
  for (const line of proto(description).split(/[\n\r\u2028]/)) assert.doesNotMatch(line, /^\s*(func harmless|message (Harmless|Other))/)
})
