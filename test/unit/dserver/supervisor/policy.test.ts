import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeProcess, uptimeText } from '../../../../src/dserver/supervisor/info.ts'
import { syslogAddress } from '../../../../src/dserver/supervisor/log/log-options.ts'
import { needed, startOrder } from '../../../../src/dserver/supervisor/order.ts'
import { type ProcessOptions, readProcessOptions } from '../../../../src/dserver/supervisor/process-options.ts'
import { type Decision, RestartPolicy, type RestartSettings, type Run } from '../../../../src/dserver/supervisor/restart-policy.ts'
import { bytesOf } from '../../../../src/dserver/supervisor/sizes.ts'
import { mayFollow, ProcessState, stateName } from '../../../../src/dserver/supervisor/state.ts'
import { parseStat } from '../../../../src/dserver/supervisor/stats.ts'
import { identityOf } from '../../../../src/dserver/supervisor/users.ts'

const settings = (options: Partial<ProcessOptions> = {}): RestartSettings => readProcessOptions({ name: 'x', command: 'x', ...options })
const run = (over: Partial<Run> = {}): Run => ({ ready: true, lasted: 2_000, code: 1, limited: false, ...over })
const delayOf = (decision: Decision): number => ('delay' in decision ? decision.delay : Number.NaN)
const endOf = (decision: Decision): string => ('end' in decision ? decision.end : '')

test('delays double up to the longest, and begin anew after a long run', () => {
  const policy = new RestartPolicy(settings({ startRetries: Number.POSITIVE_INFINITY }), () => 0)
  const delays = Array.from({ length: 12 }, () => delayOf(policy.next(run({ ready: false }), 0)))
  assert.deepEqual(delays, [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000, 30_000])
  assert.equal(delayOf(policy.next(run({ lasted: 10_000 }), 0)), 100)
})

test('the random part of a delay makes it shorter, never longer', () => {
  const policy = new RestartPolicy(settings(), () => 0.999)
  assert.equal(Math.round(delayOf(policy.next(run(), 0))), 50)
})

test('a process that does not start is Fatal after startRetries, and one that was running in between counts anew', () => {
  const policy = new RestartPolicy(settings(), () => 0)
  const failed = run({ ready: false })
  assert.equal(endOf(policy.next(failed, 0)), '')
  assert.equal(endOf(policy.next(failed, 0)), '')
  assert.equal(endOf(policy.next(run(), 0)), '')
  assert.equal(endOf(policy.next(failed, 0)), '')
  assert.equal(endOf(policy.next(failed, 0)), '')
  assert.equal(endOf(policy.next(failed, 0)), 'fatal')
})

test('exit codes decide with autoRestart unexpected; a signal is never expected; a limit restarts all the same', () => {
  const decide = (autoRestart: boolean | 'unexpected', over: Partial<Run>): string =>
    endOf(new RestartPolicy(settings({ autoRestart }), () => 0).next(run(over), 0))
  assert.equal(decide('unexpected', { code: 2 }), 'exited')
  assert.equal(decide('unexpected', { code: 1 }), '')
  assert.equal(decide('unexpected', { code: null }), '')
  assert.equal(decide(false, { code: 1 }), 'exited')
  assert.equal(decide(false, { code: null, limited: true }), '')
  assert.equal(decide(true, { code: 0 }), '')
})

test('more restarts than the limit wait until the window has room, or end in Fatal', () => {
  const backoff = { first: 0 }
  const waiting = new RestartPolicy(settings({ backoff, restartLimit: { count: 3, window: 1_000 } }), () => 0)
  assert.deepEqual(
    [0, 10, 20, 30].map((now) => delayOf(waiting.next(run(), now))),
    [0, 0, 0, 970],
  )
  assert.equal(delayOf(waiting.next(run(), 1_500)), 0)
  const fatal = new RestartPolicy(settings({ backoff, restartLimit: { count: 1, window: 1_000, action: 'fatal' } }), () => 0)
  assert.equal(endOf(fatal.next(run(), 0)), '')
  assert.equal(endOf(fatal.next(run(), 999)), 'fatal')
})

test('processes start by priority, after what they depend on', () => {
  const each = (name: string, priority: number, ...dependsOn: string[]) => ({ name, priority, dependsOn })
  assert.deepEqual(startOrder([each('c', 999), each('a', 1), each('b', 999)]), [['a'], ['c', 'b']])
  assert.deepEqual(startOrder([each('web', 1, 'db'), each('db', 5), each('log', 2)]), [['log'], ['db'], ['web']])
  assert.deepEqual(startOrder([each('x', 9, 'y', 'z'), each('y', 9, 'z'), each('z', 9)]), [['z'], ['y'], ['x']])
  assert.throws(() => startOrder([each('a', 1, 'b'), each('b', 1, 'a')]), /a > b > a/)
  assert.throws(() => startOrder([each('a', 1, 'nobody')]), /a depends on nobody/)
  const all = [each('a', 1, 'b'), each('b', 1), each('c', 1)]
  assert.deepEqual(
    needed(['a'], all).map(({ name }) => name),
    ['a', 'b'],
  )
})

test('sizes are numbers or text with a unit; anything else is refused', () => {
  assert.equal(bytesOf('x', '10MB'), 10 * 2 ** 20)
  assert.equal(bytesOf('x', '512 kb'), 512 * 2 ** 10)
  assert.equal(bytesOf('x', 7), 7)
  for (const bad of ['50M', '', '-1', '1.5MB', '9'.repeat(20), -1, 1.5, Number.NaN]) assert.throws(() => bytesOf('x', bad), RangeError)
})

test('users and groups are found by name and number', () => {
  const passwd = 'root:x:0:0:root:/root:/bin/sh\nweb:x:33:34:web:/var/www:/bin/false\n# a comment\n'
  const group = 'root:x:0:\nstaff:x:50:web\nown:x:34:web\nlog:x:60:a,web,b\nwebmasters:x:70:website\n'
  assert.deepEqual(identityOf('web', passwd, group), {
    uid: 33,
    gid: 34,
    groups: [50, 60],
    environment: { USER: 'web', LOGNAME: 'web', HOME: '/var/www' },
  })
  const staff = identityOf('web:staff', passwd, group)
  assert.deepEqual([staff.gid, staff.groups], [50, [34, 60]])
  assert.deepEqual(identityOf('33', passwd, group).groups, [50, 60])
  assert.deepEqual(identityOf('7:8', passwd, group), { uid: 7, gid: 8, groups: [], environment: {} })
  for (const bad of ['nobody', 'web:nogroup', '7', '', ':', 'a:b:c']) assert.throws(() => identityOf(bad, passwd, group))
})

test('syslog targets are told from paths', () => {
  assert.equal(syslogAddress('/var/log/x'), undefined)
  assert.deepEqual(syslogAddress('syslog'), { host: '', port: 0, protocol: 'udp' })
  assert.deepEqual(syslogAddress('syslog@tcp:logs.example'), { host: 'logs.example', port: 6514, protocol: 'tcp' })
  assert.deepEqual(syslogAddress('syslog@10.0.0.1:1514'), { host: '10.0.0.1', port: 1514, protocol: 'udp' })
  assert.deepEqual(syslogAddress('syslog@udp:[::1]:9'), { host: '::1', port: 9, protocol: 'udp' })
  for (const bad of ['syslog@', 'syslog@a:b', 'syslog@a:99999']) assert.throws(() => syslogAddress(bad), TypeError)
})

test('descriptions are those of Go', () => {
  assert.equal(uptimeText(3_723_000), '1:02:03')
  assert.equal(uptimeText(90_061_000), '1 days, 1:01:01')
  assert.equal(describeProcess(ProcessState.Running, 7, 61_000, 0), 'pid 7, uptime 0:01:01')
  assert.equal(describeProcess(ProcessState.Stopped, 0, 0, 5), '')
  assert.equal(describeProcess(ProcessState.Exited, 0, 0, 5), '1970-01-01T00:00:00.005Z')
})

test('states have the numbers of Go, and a process that runs does not go back to Starting', () => {
  assert.deepEqual(Object.values(ProcessState), [0, 10, 20, 30, 40, 100, 200, 1000])
  assert.equal(stateName(200), 'Fatal')
  assert.ok(!mayFollow(ProcessState.Running, ProcessState.Starting))
  assert.ok(mayFollow(ProcessState.Stopping, ProcessState.Stopped))
})

test('a name in /proc may have parentheses and spaces', () => {
  const stat = parseStat('42 (a) R 1 (b) Z 7 1 1 0 -1 4 0 0 0 0 12 3 0 0 20 0 5 0 100 999 25 1')
  assert.deepEqual(stat, { state: 'Z', parent: 7, cpuTime: 150, threads: 5, memory: 25 * 4096 })
  assert.equal(parseStat(''), undefined)
})

test('bad options of a process are refused, and name what is wrong', () => {
  const bad: [Partial<Record<keyof ProcessOptions | 'other', unknown>>, RegExp][] = [
    [{ name: 'a:b' }, /name/],
    [{ command: undefined }, /command or shell/],
    [{ shell: 'x' }, /command or shell/],
    [{ command: '' }, /command/],
    [{ command: 'a\0b' }, /NUL/],
    [{ other: 1 }, /unknown option "other"/],
    [{ environment: { 'A=B': 'x' } }, /environment/],
    [{ environment: { A: 5 } }, /environment/],
    [{ stopSignals: ['SIGWHAT'] }, /SIGWHAT/],
    [{ instances: 0 }, /instances/],
    [{ listen: [{ port: 1, path: '/x' }] }, /one of port, path and fd/],
    [{ ready: {} }, /ready needs one of/],
    [{ ready: { line: 'a', port: 1 } }, /ready needs one of/],
    [{ heartbeat: {} }, /heartbeat.timeout/],
    [{ exitCodes: [300] }, /exitCodes/],
    [{ memoryLimit: '5 apples' }, /memoryLimit/],
    [{ stdout: { to: 5 } }, /stdout.to/],
    [{ stdout: { to: 'x', maxBytes: '50M' } }, /stdout.maxBytes/],
    [{ backoff: { factor: 0 } }, /backoff.factor/],
  ]
  for (const [options, text] of bad)
    assert.throws(() => readProcessOptions({ name: 'x', command: 'x', ...options } as ProcessOptions), text)
})
