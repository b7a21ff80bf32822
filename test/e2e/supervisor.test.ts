import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ProcessState } from '../../src/dserver/supervisor/index.ts'
import { answerOf, event, gone, isAlive, script, supervisor, temporary } from '../support/supervisor.ts'

const idle = 'setInterval(() => {}, 1000);'
const sleeper = { command: 'sleep', args: ['100'], startTime: 0 }
/** Serves its pid on the listener that it was given. */
const onListener = script(
  "require('net').createServer((s) => s.end(String(process.pid))).listen({ fd: 3 }, () => console.log('up')); process.on('SIGTERM', () => process.exit(0))",
)

describe('the life of a process', () => {
  it('start and stop go through the states of Go, and its record has Go’s members', async (t) => {
    const { made, states } = supervisor(t)
    const [one] = made.add({ name: 'one', ...sleeper })
    await one.start()
    const info = one.info()
    assert.match(info.description, /^pid \d+, uptime 0:00:00$/)
    assert.deepEqual(Object.keys(info).sort(), 'description exitstatus logfile name now pid spawnerr start state statename stderr_logfile stdout_logfile stop'.split(' ')) // biome-ignore format: one line
    assert.ok(isAlive(one.pid))
    assert.ok((one.stats()?.memory ?? 0) > 0)
    const { pid } = one
    await one.stop()
    assert.ok(!isAlive(pid))
    assert.equal(one.state, ProcessState.Stopped)
    assert.equal(one.info().description, '')
    assert.deepEqual(states, ['one:Starting', 'one:Running', 'one:Stopping', 'one:Stopped'])
  })

  it('a command that is not there is Fatal after its retries, and says why', async (t) => {
    const { made, states } = supervisor(t)
    made.add({ name: 'none', command: 'no-such-command', startRetries: 2, backoff: { first: 1 } })
    await assert.rejects(made.start('none'), /no-such-command cannot be executed: it is not there in PATH/)
    assert.deepEqual(states, ['none:Starting', 'none:Backoff', 'none:Starting', 'none:Fatal'])
    assert.match(made.info('none')[0].spawnerr, /no-such-command/)
  })

  it('a file that is no program, a folder that is not there and a user that is not: Fatal, and nothing is left', async (t) => {
    const { made } = supervisor(t)
    const text = join(temporary(t), 'text')
    writeFileSync(text, 'no program', { mode: 0o600 })
    made.add({ name: 'text', command: text, startRetries: 1 })
    made.add({ name: 'folder', ...sleeper, directory: '/no/such', startRetries: 1 })
    made.add({ name: 'user', ...sleeper, user: 'no-such-user', startRetries: 1 })
    await assert.rejects(made.startAll())
    assert.deepEqual(new Set(made.info().map(({ statename, pid }) => `${statename} ${pid}`)), new Set(['Fatal 0']))
  })

  it('exit codes decide whether a process starts again', async (t) => {
    const { made } = supervisor(t)
    made.add({ name: 'done', command: 'sh', args: ['-c', 'exit 2'], startTime: 0, autoRestart: 'unexpected' })
    const exited = event(made, 'process.exited')
    await made.start('done')
    assert.equal((await exited).exitStatus, 2)
    assert.equal(made.info('done')[0].exitstatus, 2)
    made.add({ name: 'bad', command: 'sh', args: ['-c', 'exit 3'], startTime: 0, autoRestart: 'unexpected' })
    const backoff = event(made, 'process.backoff')
    await made.start('bad')
    assert.ok((await backoff).delay <= 100)
    await made.stop('bad')
    assert.equal(made.info('bad')[0].statename, 'Stopped')
  })

  it('a process that ignores SIGTERM is killed after its stop signals, with its group', async (t) => {
    const { made } = supervisor(t)
    const [deaf] = made.add({ name: 'deaf', shell: "trap '' TERM INT; sleep 100 & echo $!; while :; do wait; done", ready: { line: /^\d+$/ }, stopSignals: ['SIGINT', 'SIGTERM'], stopTime: 50 }) // biome-ignore format: one line
    await deaf.start()
    const grandchild = Number(deaf.stdout.recent())
    assert.ok(isAlive(grandchild))
    await deaf.stop()
    assert.equal(deaf.state, ProcessState.Stopped)
    await gone(grandchild)
  })

  it('a start during a stop starts again, and a stop after that wins', async (t) => {
    const { made, states } = supervisor(t)
    const [one] = made.add({ name: 'one', ...sleeper })
    await one.start()
    const stop = one.stop()
    await one.start()
    await stop
    assert.equal(one.state, ProcessState.Running)
    const late = [one.stop(), one.start(), one.stop()]
    await Promise.allSettled(late)
    await assert.rejects(late[1])
    assert.equal(one.state, ProcessState.Stopped)
    assert.equal(states.filter((each) => each === 'one:Starting').length, 2)
  })

  it('a stop while it is not ready yet, and during a back-off, ends there', async (t) => {
    const { made } = supervisor(t)
    const [slow] = made.add({ name: 'slow', ...sleeper, ready: { line: 'never' } })
    const start = slow.start()
    await slow.stop()
    await assert.rejects(start, /not running: stopped/)
    assert.equal(slow.state, ProcessState.Stopped)
    const [crashing] = made.add({ name: 'crashing', command: 'false', backoff: { first: 60_000 } })
    const backoff = event(made, 'process.backoff')
    crashing.start().catch(() => {})
    await backoff
    await crashing.stop()
    assert.equal(crashing.state, ProcessState.Stopped)
  })

  it('environment, directory, arguments and user are those of the process alone', async (t) => {
    const { made } = supervisor(t)
    const code =
      'console.log(JSON.stringify([process.env.OWN, process.env.HOME, process.cwd(), process.argv[1], process.getgid(), process.getgroups()]))'
    const root = process.getuid?.() === 0
    const [one] = made.add({ name: 'one', command: process.execPath, args: ['-e', `${code};${idle}`, 'a b'], environment: { OWN: 'x', HOME: undefined }, directory: '/', ready: { line: '[' }, ...(root ? { user: '65534:65534' } : {}) }) // biome-ignore format: one line
    await one.start()
    const [own, home, cwd, arg, gid] = JSON.parse(`${one.stdout.recent()}`)
    assert.deepEqual([own, home, cwd, arg], ['x', null, '/', 'a b'])
    if (root) assert.equal(gid, 65534)
    assert.equal(process.env.OWN, undefined)
  })
})

describe('when a process is ready', () => {
  it('a line, a port, a path, a function and a message', async (t) => {
    const { made } = supervisor(t)
    const path = join(temporary(t), 'socket')
    const port = await new Promise<number>((resolve) => {
      const server = process.getBuiltinModule('node:net').createServer()
      server.listen(0, '127.0.0.1', () => {
        const { port } = server.address() as { port: number }
        server.close(() => resolve(port))
      })
    })
    const listen = (where: string): string => `setTimeout(() => require('net').createServer().listen(${where}), 20)`
    made.add({ name: 'line', ...script(`process.stdout.write('x'.repeat(1e5) + 'almost re'); setTimeout(() => console.log('ady'), 20);${idle}`), ready: { line: /almost ready$/ } }) // biome-ignore format: one line
    made.add({ name: 'port', ...script(listen(`${port}, '127.0.0.1'`)), ready: { port } })
    made.add({ name: 'path', ...script(listen(JSON.stringify(path))), ready: { path } })
    made.add({ name: 'message', ...script(`process.send({ type: 'ready' });${idle}`), ipc: true, ready: { message: 'ready' } })
    let asked = 0
    made.add({ name: 'ping', ...sleeper, ready: { ping: () => ++asked > 2, interval: 1 } })
    await made.startAll()
    assert.equal(asked, 3)
    assert.ok(made.info().every(({ statename }) => statename === 'Running'))
  })

  it('one that is not ready in time is killed, and its start has failed', async (t) => {
    const { made } = supervisor(t)
    made.add({ name: 'never', ...sleeper, ready: { line: 'never' }, readyTimeout: 50, startRetries: 1 })
    await assert.rejects(made.start('never'), /not ready within 50 ms/)
    assert.equal(made.info('never')[0].statename, 'Fatal')
  })
})

describe('several processes', () => {
  it('start and stop by priority and dependencies; what depends on one that fails is not started', async (t) => {
    const { made, states } = supervisor(t)
    made.add({ name: 'web', ...sleeper, priority: 1, dependsOn: ['db'] })
    made.add({ name: 'db', ...sleeper, priority: 5 })
    made.add({ name: 'log', ...sleeper, priority: 2 })
    made.add({ name: 'manual', ...sleeper, autoStart: false })
    made.add({ name: 'broken', command: 'false', priority: 6, startRetries: 1 })
    made.add({ name: 'after', ...sleeper, priority: 6, dependsOn: ['broken'] })
    await assert.rejects(made.startAll(), /after is not started, because it depends on broken/)
    const running = states.filter((each) => each.endsWith(':Running'))
    assert.deepEqual(running, ['log:Running', 'db:Running', 'web:Running'])
    await made.stopAll()
    assert.deepEqual(
      states.filter((each) => each.endsWith(':Stopping')),
      ['web:Stopping', 'db:Stopping', 'log:Stopping'],
    )
    await made.start('web')
    assert.ok(made.find('db')?.pid)
  })

  it('a worker of four that is killed is back within 500 ms, and the others are not touched', async (t) => {
    const { made } = supervisor(t)
    const workers = made.add({ name: 'web', ...onListener, instances: 4, listen: [{ host: '127.0.0.1', port: 0 }], ready: { line: 'up' } })
    await made.startAll()
    const [{ port = 0 }] = await made.listeners('web')
    const before = workers.map(({ pid }) => pid)
    assert.ok(before.includes(Number(await answerOf(port))))
    const back = event(made, 'process.running', ({ name }) => name === 'web:2')
    const killed = performance.now()
    process.kill(workers[2].pid, 'SIGKILL')
    await back
    const took = performance.now() - killed
    t.diagnostic(`back after ${took.toFixed(0)} ms`)
    assert.ok(took <= 500, `${took} ms`)
    assert.deepEqual(
      workers.map(({ pid }, i) => pid === before[i]),
      [true, true, false, true],
    )
  })

  it('a close during a reload ends all, and the reload starts none of them again', async (t) => {
    const { made, states } = supervisor(t)
    const deaf = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6); console.log('up')"
    for (const name of ['first', 'second']) made.add({ name, ...script(deaf), ready: { line: 'up' }, stopTime: 300 })
    const [first] = made.processes()
    await made.startAll()
    const reloaded = event(made, 'process.reloaded')
    const reloading = assert.rejects(made.reloadAll(), /the supervisor is closed/)
    await reloaded
    states.length = 0
    await made.close()
    await reloading
    assert.deepEqual(states.sort(), ['first:Stopped', 'first:Stopping', 'second:Stopped', 'second:Stopping'])
    await assert.rejects(first.start(), /process first is not started: the supervisor is closed/)
  })

  it('a reload has a listener at every moment; one that fails leaves the old process', async (t) => {
    const { made, states } = supervisor(t)
    const file = join(temporary(t), 'app.js')
    writeFileSync(file, onListener.args[1])
    const [web] = made.add({
      name: 'web',
      command: process.execPath,
      args: [file],
      listen: [{ host: '127.0.0.1', port: 0 }],
      ready: { line: 'up' },
    })
    await web.start()
    const [{ port = 0 }] = await made.listeners('web')
    const old = web.pid
    let reloading = true
    const reload = web.reload().finally(() => {
      reloading = false
    })
    const answers = new Set<number>()
    while (reloading) answers.add(Number(await answerOf(port)))
    await reload
    assert.deepEqual([...answers, web.pid].sort(), [...new Set([old, web.pid, ...answers])].sort().concat(answers.has(web.pid) ? [web.pid] : []).sort()) // biome-ignore format: one line
    assert.notEqual(web.pid, old)
    await gone(old)
    writeFileSync(file, 'process.exit(5)')
    const { pid } = web
    await assert.rejects(web.reload(), /not reloaded: the process ended: exit code 5/)
    assert.equal(web.pid, pid)
    assert.equal(Number(await answerOf(port)), pid)
    assert.deepEqual(states, ['web:Starting', 'web:Running'])
  })

  it('a listener of a port that is taken fails the start and says so', async (t) => {
    const { made } = supervisor(t)
    made.add({ name: 'a', ...onListener, listen: [{ host: '127.0.0.1', port: 0 }], ready: { line: 'up' } })
    await made.start('a')
    const [{ port = 0 }] = await made.listeners('a')
    made.add({ name: 'b', ...onListener, listen: [{ host: '127.0.0.1', port }], startRetries: 1 })
    await assert.rejects(made.start('b'), /EADDRINUSE/)
    const path = join(temporary(t), 'unix')
    made.add({ name: 'c', ...onListener, listen: [{ path }], ready: { line: 'up' } })
    await made.start('c')
  })
})

describe('limits', () => {
  it('a process that hangs is killed and started again', async (t) => {
    const { made } = supervisor(t)
    const code = `const beats = setInterval(() => process.send('beat'), 10); setTimeout(() => clearInterval(beats), 100); console.log('up')`
    const [one] = made.add({ name: 'one', ...script(`${code};${idle}`), ipc: true, ready: { line: 'up' }, heartbeat: { timeout: 300 } })
    await one.start()
    const { pid } = one
    const backoff = event(made, 'process.backoff')
    assert.equal((await event(made, 'process.limit')).limit, 'heartbeat')
    assert.equal((await backoff).signal, 'SIGKILL')
    await event(made, 'process.running')
    assert.notEqual(one.pid, pid)
  })

  it('a ping that answers keeps a process, one that does not ends it', async (t) => {
    const { made } = supervisor(t)
    let pings = 0
    const ping = (): unknown => (++pings < 20 ? true : new Promise(() => {}))
    made.add({ name: 'one', ...sleeper, heartbeat: { timeout: 200, interval: 5, ping } })
    const limit = event(made, 'process.limit')
    await made.start('one')
    await limit
    assert.equal(pings, 20)
  })

  it('a process with too much memory is restarted, whatever autoRestart says', async (t) => {
    const { made } = supervisor(t)
    made.add({ name: 'one', ...sleeper, memoryLimit: 1, memoryInterval: 10, autoRestart: false, backoff: { first: 1 } })
    const limit = event(made, 'process.limit')
    const back = event(made, 'process.backoff').then(() => event(made, 'process.running'))
    await made.start('one')
    assert.equal((await limit).limit, 'memory')
    await back
  })
})

describe('output', () => {
  it('goes to the log, stderr with it, and is there after the process has ended', async (t) => {
    const { made } = supervisor(t)
    const path = join(temporary(t), '{name}.log')
    made.add({ name: 'one', command: 'sh', args: ['-c', 'echo out; echo err >&2; echo end'], redirectStderr: true, stdout: path, autoRestart: false, startTime: 0 }) // biome-ignore format: one line
    const exited = event(made, 'process.exited')
    await made.start('one')
    await exited
    const file = made.info('one')[0].stdout_logfile
    await made.close()
    assert.deepEqual(readFileSync(file, 'utf8').split('\n').sort(), ['', 'end', 'err', 'out'])
  })

  it('a folder that cannot be written is told once, and the process runs', async (t) => {
    const { made } = supervisor(t)
    const failed = event(made, 'log.failed')
    made.add({ name: 'one', shell: 'while :; do echo x; sleep 0.01; done', stdout: '/no/such/folder/x.log', ready: { line: 'x' } })
    await made.start('one')
    assert.match((await failed).error.message, /ENOENT/)
    assert.equal(made.info('one')[0].statename, 'Running')
  })

  it('without line ends it takes no memory: 200 MB of one line', async (t) => {
    const { made } = supervisor(t)
    const path = join(temporary(t), 'x.log')
    const [one] = made.add({ name: 'one', command: 'sh', args: ['-c', 'head -c 200000000 /dev/zero'], stdout: { to: path, maxBytes: '10MB', backups: 1 }, autoRestart: false, startTime: 0, ready: { line: 'never' }, startRetries: 1 }) // biome-ignore format: one line
    const before = process.memoryUsage().rss
    await assert.rejects(one.start())
    await one.stdout.idle()
    const grown = process.memoryUsage().rss - before
    assert.ok(grown < 100 * 2 ** 20, `${grown} bytes`)
  })
})
