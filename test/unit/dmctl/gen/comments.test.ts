import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Comments, commentsIn, docText } from '../../../../src/dmctl/gen/comments.ts'
import { addDeclarations, type Declaration } from '../../../../src/dmctl/gen/declarations.ts'
import { Source } from '../../../../src/dmctl/gen/source.ts'

test('comments between two declarations belong to the one before or after them, as protoc decides', () => {
  const cases: [gap: string, trailing: string, leading: string][] = [
    [' // a\n', ' a\n', ''],
    ['\n// a\n', '', ' a\n'],
    ['\n// a\n// b\n', '', ' a\n b\n'],
    [' // a\n// b\n', ' a\n', ' b\n'],
    ['\n// a\n\n', ' a\n', ''],
    ['\n\n// a\n', '', ' a\n'],
    ['\n\n// a\n\n', '', ''],
    ['\n// a\n\n// b\n', ' a\n', ' b\n'],
    ['\n// a\n\n// b\n\n// c\n', ' a\n', ' c\n'],
    [' /* a */ ', '', ''],
    [' /* a */\n', ' a ', ''],
    [' /* a */ // b\n', '', ''],
    ['\n/* a */ // b\n', ' a ', ' b\n'],
    ['\n/* a\n   * b\n   c */\n', '', ' a\n b\nc '],
    [' // a\r\n// b\r\n', ' a\r\n', ' b\r\n'],
    ['', '', ''],
  ]
  for (const [gap, trailing, leading] of cases) assert.deepEqual(commentsIn(gap, false, false), { leading, trailing }, JSON.stringify(gap))
  assert.deepEqual(commentsIn('// a\n', true, false), { leading: ' a\n', trailing: '' })
  assert.deepEqual(commentsIn('// a\n\n// b\n', true, false), { leading: ' b\n', trailing: '' })
  assert.deepEqual(commentsIn('\n// a\n', false, true), { leading: '', trailing: ' a\n' })
})

test('documentation has no marks and no common indent, and the trailing comment comes last', () => {
  const cases: [Partial<Comments>, string][] = [
    [{ leading: ' a\n  b\n' }, 'a\n b'],
    [{ leading: '* a\n b\n ' }, 'a\nb'],
    [{ leading: '/ a\n/  b\n' }, 'a\n b'],
    [{ leading: ' * item\n' }, '* item'],
    [{ leading: 'a', trailing: ' b\n' }, 'a\n\nb'],
    [{ trailing: ' b' }, 'b'],
    [{ leading: ' a\r\n b\r\n' }, 'a\nb'],
    [{ leading: '\n a\n\n b\n' }, 'a\n\nb'],
    [{}, ''],
  ]
  for (const [comments, text] of cases) assert.equal(docText({ leading: '', trailing: '', ...comments }), text, JSON.stringify(comments))
})

test('declarations are found by their full names, with places, comments and defaults', () => {
  const text = `syntax = "proto2";
package p.q;
option (x) = { a: "}" b { c: 1 } };
extend M { optional int32 ext = 100; }
message M {
  // The field.
  optional string f = 1 [(y) = { a: [1, 2] }, default = "a" 'b', deprecated = true];
  repeated group G = 2 { optional int32 n = 1; }
  oneof o { int32 x = 3; }
  map<string, M> m = 4;
  extensions 100 to 199 [declaration = { number: 100 }];
  reserved "z";
  enum E { A = -1; option allow_alias = true; B = 2 [default = 1]; }
  message message { optional message option_ = 1; }
}
service S { option deprecated = true; rpc R (M) returns (stream M) { option deprecated = true; } rpc T(M) returns (M); }
`
  const declared = new Map<string, Declaration>()
  addDeclarations(new Source('a.proto', text), 'p.q', declared)
  const found = [...declared].map(([name, { kind, place }]) => `${kind} ${name.slice('p.q.'.length)} ${place.line}:${place.column}`)
  assert.deepEqual(found, [
    'message M 5:9',
    'field M.f 7:19',
    'message M.G 8:18',
    'field M.g 8:18',
    'field M.G.n 8:41',
    'oneof M.o 9:9',
    'field M.x 9:19',
    'field M.m 10:18',
    'enum M.E 13:8',
    'value M.E.A 13:12',
    'value M.E.B 13:47',
    'message M.message 14:11',
    'field M.message.option_ 14:38',
    'service S 16:9',
    'method S.R 16:43',
    'method S.T 16:102',
  ])
  const { leading, default: literals } = declared.get('p.q.M.f') as Declaration
  assert.deepEqual([leading, literals], [' The field.\n', ['"a"', "'b'"]])
})
