import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { complaint, killAll, Program } from '../processes.ts'

const LIMIT = 10_000
const node = (script: string) => new Program('the program', [process.execPath, '-e', script])
const alive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('lines of JSON are read in order, and the last one is the result; what a library logs is not', async () => {
  const lines = node(`console.log('{"n":1}\\nlistening\\n{"n":2}')`)
  assert.deepEqual(await lines.next(LIMIT), { n: 1 })
  assert.deepEqual(await lines.next(LIMIT), { n: 2 })
  await assert.rejects(lines.next(LIMIT), { message: 'the program ended early' })
  assert.deepEqual(await node(`console.log('{"n":1}\\n{"n":2}')`).result(LIMIT), { n: 2 })
})

test('a program that fails is named with its own words', async () => {
  const failing = (script: string, message: string) => assert.rejects(node(script).result(LIMIT), { message })
  await failing(`console.error('port 1 is in use'); process.exit(3)`, 'the program ended with 3: port 1 is in use')
  await failing(`throw new RangeError('no')`, 'the program ended with 1: RangeError: no')
  await failing('process.kill(process.pid, "SIGKILL")', 'the program ended with SIGKILL')
  await failing('', 'the program printed no JSON: ""')
  await assert.rejects(new Program('it', ['/nowhere/x']).result(LIMIT), { message: 'it spawn /nowhere/x ENOENT' })
})

test('one that takes too long is ended', async () => {
  await assert.rejects(node('setInterval(() => {}, 1000)').result(200), { message: 'the program took more than 0.2 s' })
})

test('a server ends with its standard input', async () => {
  const server = node('console.log(JSON.stringify({ pid: process.pid })); process.stdin.resume().on("end", () => process.exit(0))')
  const { pid } = await server.next<{ pid: number }>(LIMIT)
  await server.stop()
  assert.equal(alive(pid), false)
})

test('killAll ends programs and what they started', async () => {
  const parent = node(`
    const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    console.log(JSON.stringify({ pids: [process.pid, child.pid] }))
    setInterval(() => {}, 1000)`)
  const { pids } = await parent.next<{ pids: number[] }>(LIMIT)
  killAll()
  await assert.rejects(parent.failure())
  for (let i = 0; i < 100 && pids.some(alive); i++) await pause(10)
  // An orphan that nobody has collected yet is a zombie: ended all the same.
  assert.equal(alive(pids[0]), false)
})

test('of many lines the one that names an error is told', () => {
  assert.equal(complaint('at x\nError: no\n  at y\n'), 'Error: no')
  assert.equal(complaint('one\n\nlast\n'), 'last')
  assert.equal(complaint(''), '')
})
