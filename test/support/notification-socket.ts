import { spawn } from 'node:child_process'
import type { TestContext } from 'node:test'
import { Program } from './dserver.ts'

/** A socket as a service manager has it, and what came there: messages in lines joined by `|`. */
export async function notificationSocket(t: TestContext, path: string): Promise<Program> {
  const listen = `import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace('@', chr(0)))
print('bound', flush=True)
while True: print(s.recv(4096).decode().replace(chr(10), '|'), flush=True)`
  const socket = new Program(spawn('python3', ['-c', listen, path], { stdio: ['ignore', 'pipe', 'pipe'] }))
  t.after(() => socket.child.kill('SIGKILL'))
  await socket.line(/^bound$/)
  return socket
}
