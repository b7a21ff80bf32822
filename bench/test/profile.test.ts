import assert from 'node:assert/strict'
import { test } from 'node:test'
import { javaScriptPart } from '../perf.ts'
import { type CpuProfile, javaScriptShare } from '../profile.ts'

const names = ['(idle)', '(program)', 'handler', 'writev', '(garbage collector)']
const nodes = names.map((functionName, id) => ({ id, callFrame: { functionName, url: functionName === 'handler' ? 'file:///a.js' : '' } }))

/** A sample of 1 ms of each function named. */
const profile = (...functions: string[]): CpuProfile => ({
  nodes,
  samples: functions.map((name) => names.indexOf(name)),
  timeDeltas: functions.map(() => 1_000),
})
const times = (count: number, ...functions: string[]): string[] => Array.from({ length: count }, () => functions).flat()

test('JavaScript is what has a URL, and the collector; native functions and waiting are not', () => {
  const load = times(250, 'handler', 'writev', '(garbage collector)', '(program)')
  assert.ok(Math.abs(javaScriptShare(profile(...load), 1) - 0.5) < 0.02)
})

test('the start before the load and the wait after it do not count', () => {
  const start = times(2_000, 'handler')
  const load = times(250, 'handler', '(idle)', '(idle)', '(idle)')
  assert.ok(Math.abs(javaScriptShare(profile(...start, ...load, ...times(300, '(idle)')), 1) - 0.25) < 0.02)
})

test('a profile without JavaScript has none', () => {
  assert.equal(javaScriptShare(profile(...times(100, '(idle)')), 1), 0)
})

test('to perf JavaScript is what V8 compiled, its built-ins and V8 itself', () => {
  const report = [
    '  40  |[JIT] tid 7  |[.] 0x00007f3642fe8bee',
    '  30  |node         |[.] Builtins_LoadIC',
    '  10  |node         |[.] v8::internal::Factory::AllocateRaw',
    '  10  |node         |[.] std::vector<v8::internal::Handle, std::allocator<int> >::push_back',
    '  50  |node         |[.] node::Buffer::(anonymous namespace)::StringWrite<v8::String>',
    '  40  |node         |[.] napi_make_callback',
    '  20  |dmicro.node  |[.] dmicro::Reactor::Flush',
    '',
  ]
  assert.equal(javaScriptPart(report.join('\n')), 0.45)
})

test('what perf cannot name it does not tell', () => {
  assert.equal(javaScriptPart(''), undefined)
  assert.equal(javaScriptPart('  7  |node  |[.] 0x0000000000a1b2c3\n'), undefined)
})
