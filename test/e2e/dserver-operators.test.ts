// What docs/dserver.md tells operators to do, done: its application under its unit file, and in its container.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Program } from '../support/dserver.ts'
import { notificationSocket } from '../support/notification-socket.ts'
import { documented, readDockerfile, readUnit } from '../support/operator-docs.ts'
import { gone } from '../support/supervisor.ts'

const options = { timeout: 60_000 }
const missing = (command: string, ...args: string[]): boolean => spawnSync(command, args).status !== 0
const skipUnit = process.platform !== 'linux' || missing('python3', '-V') ? 'needs Linux, and python3 for the socket' : false
const service = readUnit(documented('ini')).Service

/** A folder with the application, as a deployment has it. */
function deployed(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'dserver-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'app.mjs'), documented('js'))
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(fileURLToPath(new URL('../..', import.meta.url)), join(folder, 'node_modules/dmicro'))
  const about = { name: 'app', version: '1.2.3' }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(about))
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ ...about, lockfileVersion: 3, packages: { '': about } }))
  return folder
}

/** The words of a command of the unit file, with the Node.js of this test. */
function commandOf(line: string): [program: string, ...args: string[]] {
  const [program, ...args] = line.split(' ')
  assert.equal(program, '/usr/bin/node')
  return [process.execPath, ...args]
}

const noAnalyze = process.platform !== 'linux' || missing('systemd-analyze', '--version') ? 'needs systemd-analyze' : false

test('the unit file is one that systemd takes', { ...options, skip: noAnalyze }, (t) => {
  const folder = deployed(t)
  const path = join(folder, 'app.service')
  writeFileSync(path, documented('ini').replaceAll('/usr/bin/node', process.execPath).replace('/srv/app', folder))
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' })
  assert.deepEqual([status, stderr], [0, ''])
})

test('under its unit file the application gets ready, is fed to the watchdog, reloaded and stopped', {
  ...options,
  skip: skipUnit,
}, async (t) => {
  const cwd = deployed(t)
  assert.deepEqual([service.Type, service.KillMode], ['notify', 'mixed'])
  const runtime = join(cwd, service.RuntimeDirectory)
  mkdirSync(runtime, { mode: Number.parseInt(service.RuntimeDirectoryMode, 8) })
  const notify = join(cwd, 'notify.sock')
  const manager = await notificationSocket(t, notify)
  // The watchdog of the unit file, a hundred times as impatient.
  const watchdog = `${(Number(service.WatchdogSec) * 1e6) / 100}`
  const { DMICRO_RUNTIME_DIR, XDG_RUNTIME_DIR, ...own } = process.env
  const env = { ...own, RUNTIME_DIRECTORY: runtime, NOTIFY_SOCKET: notify, APP_SANDBOX__HELLO__LISTEN: 'tcp://127.0.0.1:0' }
  const [program, ...args] = commandOf(service.ExecStart)
  const main = new Program(spawn(program, args, { cwd, env: { ...env, WATCHDOG_USEC: watchdog }, stdio: ['ignore', 'pipe', 'pipe'] }))
  t.after(() => main.child.kill('SIGKILL'))
  await manager.line(new RegExp(`^READY=1\\|.*\\|MAINPID=${main.child.pid}$`))
  await manager.line(/^WATCHDOG=1$/)

  const [reload, ...reloadArgs] = commandOf(service.ExecReload)
  const reloaded = spawnSync(reload, reloadArgs, { cwd, env: { ...env, MAINPID: `${main.child.pid}` }, encoding: 'utf8' })
  assert.equal(reloaded.status, 0, reloaded.stderr)
  await manager.line(/^RELOADING=1\|MONOTONIC_USEC=\d+$/)
  const ready = await manager.line(new RegExp(`^READY=1\\|.*\\|MAINPID=(?!${main.child.pid}$)`))
  const next = Number(/\d+$/.exec(ready))
  t.after(() => killed(next))
  assert.equal(await main.exited, 0)
  manager.lines.length = 0
  await manager.line(/^WATCHDOG=1$/)

  process.kill(next, 'SIGTERM') // KillMode=mixed: to the main process alone
  await manager.line(/^STOPPING=1$/)
  await gone(next)
})

test('a wrong configuration ends with a status after which the unit file does not start it again', {
  ...options,
  skip: skipUnit,
}, async (t) => {
  const cwd = deployed(t)
  const [program, ...args] = commandOf(service.ExecStart)
  const env = { ...process.env, DMICRO_RUNTIME_DIR: join(cwd, 'run') }
  for (const [wrong, code] of [
    ['--set=sandbox.hello.listen', 78],
    ['--colour', 2],
  ] as const) {
    assert.equal(spawnSync(program, [...args, wrong], { cwd, env }).status, code)
    assert.ok(service.RestartPreventExitStatus.split(' ').includes(`${code}`))
  }
})

const docker = readDockerfile(documented('dockerfile'))
const values = (instruction: string): string[] => docker.filter(([each]) => each === instruction).map(([, rest]) => rest)
const noContainer =
  process.platform !== 'linux' ||
  missing('unshare', '-mpf', '--mount-proc', 'sh', '-c', 'mount -t tmpfs tmpfs /srv') ||
  missing('nsenter', '--version') ||
  missing('setpriv', '--reuid=65534', '--clear-groups', 'test', '-r', fileURLToPath(new URL('../../dist/index.js', import.meta.url)))
    ? 'needs root, namespaces, and a tree that others may read'
    : false

/** User and group `node` of the image have no names here. */
const asNode = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--no-new-privs']

test('the instructions of the Dockerfile, run in namespaces, give a container that is healthy, reloads and stops', {
  ...options,
  skip: noContainer,
}, async (t) => {
  assert.deepEqual(
    docker.map(([instruction]) => instruction),
    ['FROM', 'WORKDIR', 'COPY', 'RUN', 'COPY', 'USER', 'ENV', 'HEALTHCHECK', 'ENTRYPOINT', 'CMD'],
  )
  const [from, [workdir], [first, all], [run], [user]] = ['FROM', 'WORKDIR', 'COPY', 'RUN', 'USER'].map(values)
  assert.deepEqual([from[0].split(':')[0], first, all, user], ['node', 'package*.json ./', '. .', 'node'])
  const context = deployed(t)
  const variables = [...values('ENV'), 'APP_SANDBOX__HELLO__LISTEN=tcp://127.0.0.1:0']
  const command = [...JSON.parse(values('ENTRYPOINT')[0]), ...JSON.parse(values('CMD')[0])]
  const build = `set -e
    mount -t tmpfs tmpfs /srv && mkdir -p ${workdir} && cd ${workdir}
    cp "$CONTEXT"/package*.json ./
    ${run} --offline --no-audit >&2
    cp -a "$CONTEXT"/* .
    mkdir -p /srv/tree && mount --bind "$TREE" /srv/tree
    mount -t tmpfs -o mode=1777 tmpfs /tmp
    mkdir -p "$TREE" && mount --bind /srv/tree "$TREE" # which may lie in /tmp
    exec "$@"`
  const started = [...asNode, 'env', '-i', `PATH=${process.env.PATH}`, ...variables, ...command]
  const namespaces = ['-mpf', '--mount-proc', '--kill-child', 'sh', '-c', build, 'sh']
  const env = {
    ...process.env,
    CONTEXT: context,
    TREE: fileURLToPath(new URL('../../', import.meta.url)),
    npm_config_cache: join(context, '.npm'),
  }
  const container = new Program(spawn('unshare', [...namespaces, ...started], { env, stdio: ['ignore', 'pipe', 'pipe'] }))
  t.after(() => container.child.kill('SIGKILL'))
  await container.line(/dmicro info: ready name="app" pid=1 /)
  const outer = container.child.pid as number
  const init = Number(readFileSync(`/proc/${outer}/task/${outer}/children`, 'utf8').trim())
  t.after(() => killed(init)) // its end with its parent is forgotten when it gets another user
  const inside = (...words: string[]) => {
    const enter = ['-t', `${init}`, '-m', '-p', 'sh', '-c', `cd ${workdir} && exec "$@"`, 'sh', ...asNode, 'env', '-i']
    return spawnSync('nsenter', [...enter, `PATH=${process.env.PATH}`, ...variables, ...words], { encoding: 'utf8' })
  }
  const health = (): { status: number | null; stderr: string } => inside(...JSON.parse(values('HEALTHCHECK')[0].replace(/^CMD /, '')))
  assert.equal(health().status, 0, health().stderr)
  const reloaded = inside('node', 'app.mjs', 'reload')
  assert.equal(reloaded.status, 0, reloaded.stderr)
  await container.line(/dmicro info: ready name="app" pid=(?!1 )\d+ /)
  assert.equal(health().status, 0)
  process.kill(init, 'SIGTERM') // docker stop
  assert.equal(await container.exited, 0)
})

function killed(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}
