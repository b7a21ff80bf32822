import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, it, type TestContext } from 'node:test'
import { closeOnExec, lockFile, peerCredentials, reap, sdNotify } from '../../../src/dserver/index.ts'
import { osAddon } from '../../../src/dserver/os/native.ts'

const skip = osAddon() === undefined ? 'the native addon does not run' : false

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'dmicro-os-'))
  t.after(() => rmSync(made, { recursive: true, force: true }))
  return made
}

const descriptorOf = (socket: Server | Socket): number => (socket as unknown as { _handle: { fd: number } })._handle.fd

describe('functions of the system', { skip }, () => {
  it('lock a file for one open file at a time, and unlock it when that closes', (t) => {
    const path = join(folder(t), 'pid')
    const [first, second] = [openSync(path, 'a'), openSync(path, 'a')]
    assert.equal(lockFile(first), true)
    assert.equal(lockFile(first), true)
    assert.equal(lockFile(second), false)
    closeSync(first)
    assert.equal(lockFile(second), true)
    closeSync(second)
    assert.throws(() => lockFile(999_999), { code: 'EBADF' })
    assert.throws(() => lockFile(-1), TypeError)
  })

  for (const [kind, name] of Object.entries({ 'a path': 'path', 'an abstract name': '@' })) {
    it(`notify a service manager on ${kind}`, async (t) => {
      const place = name === '@' ? `@dmicro-${process.pid}` : join(folder(t), 'notify')
      const manager = spawn('python3', [
        '-c',
        'import socket,sys\np=sys.argv[1]\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\ns.bind("\\0"+p[1:] if p[0]=="@" else p)\nprint("bound",flush=True)\nprint(s.recv(4096).decode(),flush=True)',
        place,
      ])
      t.after(() => manager.kill())
      const lines = createInterface(manager.stdout)
      assert.equal((await once(lines, 'line'))[0], 'bound')
      process.env.NOTIFY_SOCKET = place
      t.after(() => delete process.env.NOTIFY_SOCKET)
      const received: string[] = []
      lines.on('line', (line) => received.push(line))
      assert.equal(sdNotify('READY=1\nSTATUS=ok'), true)
      await once(lines, 'close')
      assert.deepEqual(received, ['READY=1', 'STATUS=ok'])
      assert.equal(sdNotify('READY=1'), false, 'nobody listens')
    })
  }

  it('notify nobody without a service manager, and refuse what is no state', () => {
    delete process.env.NOTIFY_SOCKET
    assert.equal(sdNotify('READY=1'), false)
    for (const state of ['', 'a\0b', 'x'.repeat(5000), 1]) assert.throws(() => sdNotify(state as string), TypeError)
  })

  it('name the process at the other end of a Unix socket, and none of other descriptors', async (t) => {
    const server = createServer().listen(join(folder(t), 'socket'))
    t.after(() => server.close())
    await once(server, 'listening')
    const client = connect((server.address() as string).toString())
    const [accepted] = (await once(server, 'connection')) as [Socket]
    assert.deepEqual(peerCredentials(descriptorOf(accepted)), { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() })
    client.destroy()
    accepted.destroy()
    const file = openSync('/dev/null', 'r')
    for (const none of [file, -1, 0.5, 999_999]) assert.equal(peerCredentials(none), undefined)
    closeSync(file)
  })

  it('say how to pass a descriptor on, and which sockets listen', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const fd = descriptorOf(server)
    assert.equal(closeOnExec(fd, false), true)
    assert.equal(closeOnExec(fd, true), true)
    assert.equal(closeOnExec(999_999, true), false)
    assert.equal(osAddon()?.listeningAddress(fd), `tcp://127.0.0.1:${port}`)
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    assert.ok((osAddon()?.listeningAddress(descriptorOf(socket)) as number) < 0)
    socket.destroy()
    server.close()
  })

  it('take no exit status of what is no child', () => {
    assert.equal(reap(1), 'none')
    assert.throws(() => reap(-1), TypeError)
    assert.throws(() => reap(0), TypeError)
  })
})
