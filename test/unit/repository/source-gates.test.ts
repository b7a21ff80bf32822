import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../src', import.meta.url))
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))

/** The code of a file without comments and text, which may speak of anything; text in templates is code where it is `${…}`. */
function code(name: string): string {
  return readFileSync(`${root}/${name}`, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
}

/** All files but these, which must be there: an exception whose file has moved would be one for nothing. */
function except(...names: string[]): string[] {
  for (const name of names) assert.ok(files.includes(name), name)
  return files.filter((name) => !names.includes(name))
}

/** Regular expressions in a file, as they are written. */
function expressions(name: string): string[] {
  const found: string[] = []
  for (const [, body] of code(name).matchAll(
    /(?:^|[=(,:?&|!{}\s])\/((?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+)\/[dgimsuvy]*(?=[\s.,;)\]])/gm,
  ))
    found.push(body)
  return found
}

/** Whether a repeated group has something in it that is repeated without bound: then the time may be more than linear. */
function nests(body: string): boolean {
  const plain = body.replace(/\\./g, 'x').replace(/\[[^\]]*\]/g, 'x')
  const starts: number[] = []
  for (let i = 0; i < plain.length; i++) {
    if (plain[i] === '(') starts.push(i)
    if (plain[i] !== ')') continue
    const inner = plain.slice(starts.pop(), i)
    if (/^(?:[*+]|\{\d+,\})/.test(plain.slice(i + 1)) && /[*+]|\{\d+,\}/.test(inner)) return true
  }
  return false
}

test('nothing makes code of text (P3)', () => {
  assert.ok(files.length > 50)
  for (const name of files) assert.doesNotMatch(code(name), /\beval\s*\(|\bFunction\s*\(|node:vm|setTimeout\(\s*['"`]/, name)
})

test('no regular expression repeats what repeats, and none is made of data (D5)', () => {
  let count = 0
  for (const name of files) {
    assert.doesNotMatch(code(name), /\bRegExp\s*\(/, name)
    for (const body of expressions(name)) {
      count++
      assert.ok(!nests(body), `${name}: /${body}/`)
    }
  }
  assert.ok(count > 20, `${count} expressions found`)
  for (const bad of ['(a+)+', '(?:x*y)*', '([a-z]+,)+$', '((a|b+)c){2,}']) assert.ok(nests(bad), bad)
  for (const good of ['(?:[eE][+-]?[0-9]+)?', '^[a-z]+$', '(ab)+', '(?:1|t|T)']) assert.ok(!nests(good), good)
})

test('time and chance come from the endpoint\u2019s clock: a run in virtual time repeats itself', () => {
  // The stand-in is `node:timers` for pages, where the clock takes them from; metrics look at the real event loop;
  // a service manager wants its own clock.
  const real = ['browser/stand-ins/node.ts', 'dserver/os/monotonic.ts', 'observe/metrics/process.ts', 'observe/metrics/render.ts']
  for (const name of except('base/time/clock.ts', ...real))
    assert.doesNotMatch(
      code(name),
      /\b(?:performance|Math\.random|Date\.now|hrtime|AbortSignal\.timeout|node:timers|nextTick|queueMicrotask)\b|new Date\(\)|(?<![.\w])(?:(?:set|clear)(?:Timeout|Interval)\(|(?:set|clear)Immediate\b)/,
      name,
    )
})

test('what the clock calls was taken when it was loaded: whoever fakes timers later does not stop it', () => {
  const text = code('base/time/clock.ts')
  for (const name of ['setTimeout', 'clearTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'now'])
    assert.match(text, new RegExp(`^const \\{[^}]*\\b${name}\\b[^}]*\\} = `, 'm'), name)
  assert.doesNotMatch(text, /(?:globalThis|timers|performance)\.(?:set|clear|queue|now)/)
})

test('nothing is called in an async context that somebody happened to be in', () => {
  // What waits for a connection, or is made again, is its caller's; timers of a network in memory are a test's; a queued event is its publisher's.
  const callers = [
    'base/async/call-context.ts',
    'session/redial.ts',
    'session/outbound.ts',
    'rpc/broker/context-free.ts',
    'testing/network.ts',
    'dserver/eventbus/delivery-queue.ts',
  ]
  for (const name of except('base/async/root-context.ts', ...callers))
    assert.doesNotMatch(code(name), /new Async(?:Resource|LocalStorage)\b|AsyncResource\.bind|AsyncLocalStorage\.(?:bind|snapshot)/, name)
})
