import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_XML_NODES } from '../../../src/base/limits.ts'
import { xmlCodec } from '../../../src/codecs/xml.ts'
import { badMessage, decodeBorrowed, encodeOwned, fuzz } from '../../support/codecs.ts'

const encode = (value: unknown): string => xmlCodec.encode(value) as string
const decode = (body: string | Uint8Array, maxDepth = 128): unknown => decodeBorrowed(xmlCodec, body, { maxDepth })
/** The same with prototypes, for assert.deepEqual. */
const plain = (value: unknown): unknown => structuredClone(value)

const order = {
  order: { '@id': '7', item: ['tea', 'milk'], note: { '@lang': 'en', '#text': 'soon' }, empty: '', to: { name: 'A & B' } },
}
const orderText =
  '<order id="7"><item>tea</item><item>milk</item><note lang="en">soon</note><empty></empty><to><name>A &amp; B</name></to></order>'

test('bare values are the element Go makes of them, both ways', () => {
  const golden: [unknown, string][] = [
    ['a', '<string>a</string>'],
    ['', '<string></string>'],
    [5, '<int>5</int>'],
    [-5, '<int>-5</int>'],
    [Number.MAX_SAFE_INTEGER, '<int>9007199254740991</int>'],
    [2n ** 62n, '<int>4611686018427387904</int>'],
    [2n ** 64n - 1n, '<uint64>18446744073709551615</uint64>'],
    [0.5, '<float64>0.5</float64>'],
    [-0, '<float64>-0</float64>'],
    [1e21, '<float64>1e+21</float64>'],
    [1.5e-7, '<float64>1.5e-07</float64>'],
    [0.0001, '<float64>0.0001</float64>'],
    [1234567.5, '<float64>1.2345675e+06</float64>'],
    [123456.5, '<float64>123456.5</float64>'],
    [2 ** 53, '<float64>9.007199254740992e+15</float64>'],
    [Number.NaN, '<float64>NaN</float64>'],
    [-Infinity, '<float64>-Inf</float64>'],
    [true, '<bool>true</bool>'],
    [false, '<bool>false</bool>'],
  ]
  for (const [value, text] of golden) {
    assert.equal(encode(value), text)
    assert.deepEqual(decode(text), value, text)
  }
  assert.equal(encode(null), '')
})

test('a root with the name of a Go type is read as Go reads it', () => {
  const cases: [string, unknown][] = [
    ['<int32> +7 </int32>', 7],
    ['<uint8></uint8>', 0],
    ['<int>-0</int>', 0],
    ['<int>9007199254740993</int>', 9007199254740993n],
    ['<int>-9223372036854775808</int>', -(2n ** 63n)],
    ['<float32>1e3</float32>', 1000],
    ['<float64/>', 0],
    ['<bool>T</bool>', true],
    ['<bool/>', false],
    ['<string> a <!-- c -->b</string>', ' a b'],
    ['<string><![CDATA[<&>]]></string>', '<&>'],
  ]
  for (const [text, value] of cases) assert.deepEqual(decode(text), value, text)
  const bad = ['<int>x</int>', '<int>1.5</int>', '<int> </int>', '<int>18446744073709551616</int>', `<int>${'1'.repeat(100_000)}</int>`]
  for (const text of [...bad, '<bool>yes</bool>', '<float64>1e400</float64>', '<float64>0x1p-2</float64>', '<float64>1_0</float64>'])
    assert.throws(() => decode(text), badMessage(/^xml: no (int|bool|float64): /), text.slice(0, 40))
  assert.deepEqual(plain(decode('<int a="1">5</int>')), { int: { '@a': '1', '#text': '5' } })
  assert.deepEqual(plain(decode('<string><a/></string>')), { string: { a: '' } })
})

test('objects are elements, both ways', () => {
  const golden: [object, string][] = [
    [order, orderText],
    [{ a: '' }, '<a></a>'],
    [{ a: { b: ['', ''] } }, '<a><b></b><b></b></a>'],
    [{ a: { '@b': '' } }, '<a b=""></a>'],
    [{ a: { b: { c: { d: 'x' } } } }, '<a><b><c><d>x</d></c></b></a>'],
    [{ 'ns:a': { '@xmlns:ns': 'urn:x', 'ns:b': 'y' } }, '<ns:a xmlns:ns="urn:x"><ns:b>y</ns:b></ns:a>'],
    [{ 世界: { 'a-b.c_1': 'é😀' } }, '<世界><a-b.c_1>é😀</a-b.c_1></世界>'],
    [{ a: ' \n\t\r ' }, '<a> &#xA;&#x9;&#xD; </a>'],
    [{ a: { '@q': '"\'&<>\t\n\r' } }, '<a q="&#34;&#39;&amp;&lt;&gt;&#x9;&#xA;&#xD;"></a>'],
    [{ a: '"\'&<>]]>' }, '<a>&#34;&#39;&amp;&lt;&gt;]]&gt;</a>'],
  ]
  for (const [value, text] of golden) {
    assert.equal(encode(value), text)
    assert.deepEqual(plain(decode(text)), value, text)
  }
})

test('scalars inside of elements are their text', () => {
  const value = { a: { n: [1, 0.5, 1e21, 5n], t: true, z: null, u: undefined, d: new Date(0), '@x': 1, '@none': null, '#text': 2 } }
  const text = '<a x="1"><n>1</n><n>0.5</n><n>1e+21</n><n>5</n><t>true</t><z></z><d>1970-01-01T00:00:00.000Z</d>2</a>'
  assert.equal(encode(value), text)
})

test('what XML has no form for becomes U+FFFD', () => {
  assert.equal(encode('\0\x01\x1b\ufffe\uffff\ud800x\udc00\x7f'), '<string>\ufffd\ufffd\ufffd\ufffd\ufffd\ufffdx\ufffd\x7f</string>')
})

test('toJSON counts as in JSON', () => {
  const keyed = { toJSON: (key: string) => `${key}!` }
  assert.equal(encode({ toJSON: () => 5 }), '<int>5</int>')
  assert.equal(encode({ a: { toJSON: () => undefined }, r: keyed }), '<r>r!</r>')
  assert.equal(encode({ r: { '@id': keyed, b: [keyed, keyed], '#text': keyed } }), '<r id="@id!"><b>0!</b><b>1!</b>#text!</r>')
  assert.equal(encode({ at: new Date(0) }), '<at>1970-01-01T00:00:00.000Z</at>')
})

test('what has no element is refused', () => {
  const names = ['', 'a b', '1a', '<a', 'a>', 'a/', '-a', 'a"', '@a', '#text', 'a\n', '\ud800']
  for (const name of names) assert.throws(() => encode({ [name]: 'x' }), /is no name/, name)
  for (const value of [{ a: { '@a b': 1 } }, { a: { '@': 1 } }, { a: { 'b><c': 1 } }]) assert.throws(() => encode(value), /is no name/)
  const circle: Record<string, unknown> = {}
  circle.a = circle
  assert.throws(() => encode(circle), /in a circle/)
  const bad = [
    {},
    { a: 1, b: 2 },
    { a: ['x'] },
    { a: undefined },
    [],
    ['a'],
    new Map([['a', 1]]),
    () => 1,
    Symbol('s'),
    new Date(),
    2n ** 64n,
  ]
  const nested = [
    { a: { b: [[1]] } },
    { a: { '@b': {} } },
    { a: { '#text': [] } },
    { a: new Map() },
    { a: () => 1 },
    { a: { b: new Error('x') } },
  ]
  for (const value of [...bad, ...nested]) assert.throws(() => encode(value), /^(TypeError|RangeError): xml/)
})

test('headers, comments and layout are left out', () => {
  const text = `\ufeff<?xml version="1.0" encoding="UTF-8"?>\n<!-- one --><a>\n  <b>x<!-- two -->y</b>\r\n\t<?pi data?><c>1\r\n2</c>\n</a>\n<!-- three -->\n`
  assert.deepEqual(plain(decode(text)), { a: { b: 'xy', c: '1\n2' } })
  assert.equal(decode('<string>\r\r\n\n\r</string>'), '\n\n\n\n')
  assert.deepEqual(plain(decode('<a>x<b/>y<b/> </a>')), { a: { b: ['', ''], '#text': 'xy ' } })
  assert.deepEqual(plain(decode('<a b="1"> </a>')), { a: { '@b': '1', '#text': ' ' } })
  assert.deepEqual(plain(decode('<a> </a>')), { a: ' ' })
  assert.equal(decode('<string>&#65;&#x42;&lt;&gt;&amp;&quot;&apos;&#x1F600;</string>'), `AB<>&"'😀`)
})

test('a DOCTYPE is refused, with entities or without', () => {
  const laughs = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('')
  const bad = [
    '<!DOCTYPE a><a/>',
    '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
    '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    '\ufeff<?xml version="1.0"?>\n<!-- <a> --><?x <a> ?>\n<!DOCTYPE a><a/>',
    '<!--> <a> --><!DOCTYPE a><a/>',
    `<!DOCTYPE a [${'<!ENTITY a "b">'.repeat(100_000)}`,
    `<!DOCTYPE a [<!ENTITY l0 "ha">${laughs}]><a>&l9;</a>`,
  ]
  for (const text of bad) assert.throws(() => decode(text), badMessage(/DOCTYPE/), text.slice(0, 40))
  assert.equal(decode('<string><![CDATA[<!DOCTYPE a>]]><!-- <!DOCTYPE a> --></string>'), '<!DOCTYPE a>')
})

test('unreadable documents are a 400', () => {
  const bad = [
    ' ',
    'text',
    '<a>',
    '<a></b>',
    '<a/><b/>',
    '<a/>text',
    '<a b=1/>',
    '<a b="1" b="2"/>',
    '<a b="<"/>',
    '<a>&x;</a>',
    '<a>&constructor;</a>',
    '<a>&__proto__;</a>',
    '<a>&toString;</a>',
    '<a b="&valueOf;"/>',
    '<a>&</a>',
    '<a>&#0;</a>',
    '<a>&#xD800;</a>',
    '<a>&#x110000;</a>',
    '<a>\0</a>',
    '<a>]]></a>',
    '<a><!-- -- --></a>',
    '<1/>',
    '</a>',
    '<?xml version="1.0" encoding="ISO-8859-1"?><a/>',
    '<a/><?xml version="1.0"?>',
    '<![CDATA[x]]>',
    `<a>${'&'.repeat(100_000)}</a>`,
    `<${'x'.repeat(1_000_000)}`,
  ]
  for (const text of bad) assert.throws(() => decode(text), badMessage(/^xml: /), text.slice(0, 40))
  assert.throws(() => decode(Buffer.from([0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e])), badMessage(/UTF-8/))
  assert.equal(decode('<string>\ufffd</string>'), '\ufffd')
})

test('elements nest as deep as allowed and no deeper', () => {
  const nested = (depth: number): string => '<a>'.repeat(depth) + '</a>'.repeat(depth)
  assert.ok(decode(nested(128)))
  for (const depth of [129, 1000, 10_000, 100_000]) assert.throws(() => decode(nested(depth)), badMessage(/deeper than 128/))
  assert.equal(decode('<int>1</int>', 1), 1)
  assert.throws(() => decode('<a><b/></a>', 1), badMessage(/deeper than 1/))
})

test('a document has at most 100,000 elements and attributes', () => {
  assert.ok(decode(`<a>${'<b/>'.repeat(MAX_XML_NODES - 1)}</a>`))
  const attributes = Array.from({ length: MAX_XML_NODES }, (_, i) => ` a${i}=""`).join('')
  for (const text of [`<a>${'<b/>'.repeat(MAX_XML_NODES)}</a>`, `<a${attributes}/>`]) {
    assert.throws(() => decode(text), badMessage(/more than 100000/))
  }
})

test('names of the prototype are names like others', () => {
  const value = decode('<__proto__ constructor="1"><__proto__ polluted="2"/><hasOwnProperty>x</hasOwnProperty></__proto__>') as Record<
    string,
    object
  >
  assert.equal(Object.getPrototypeOf(value), null)
  assert.deepEqual(Object.keys(value), ['__proto__'])
  const root = Object.getOwnPropertyDescriptor(value, '__proto__')?.value as object
  assert.equal(Object.getPrototypeOf(root), null)
  assert.deepEqual(Object.keys(root), ['@constructor', '__proto__', 'hasOwnProperty'])
  assert.equal(({} as Record<string, unknown>).polluted, undefined)
  assert.equal(
    encode(value),
    '<__proto__ constructor="1"><__proto__ polluted="2"></__proto__><hasOwnProperty>x</hasOwnProperty></__proto__>',
  )
})

test('20,000 mutated bodies are a value that comes back as it is, or a 400', () => {
  const bodies = [
    orderText,
    '<?xml version="1.0"?><a>&lt;<b c="&#x41;"/><![CDATA[x]]><__proto__>1</__proto__></a>',
    '<int>-12</int>',
    `<string>${'plenty of text '.repeat(20)}</string>`,
  ]
  const good = fuzz(
    xmlCodec,
    bodies.map((text) => Buffer.from(text)),
    20_000,
    (value, seed) => assert.deepEqual(decode(encodeOwned(xmlCodec, value)), value, `seed ${seed}`),
  )
  assert.ok(good > 2_000 && good < 18_000, `${good} of them were good`)
})
