// Ten thousand idle sessions over KCP: what a server keeps of each, and what its timers cost.
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { segmentsOf } from '../src/wire/kcp/conversation.ts'
import { Command, MARK, readHeader, singleSegment } from '../src/wire/kcp/segment.ts'
import type { Server } from './peers.ts'

/** At a time. */
const BATCH = 50
const AGAIN_MS = 500
const IDLE_MS = 10_000
/** Clock ticks of the kernel in a second. */
const TICKS = 100

/** Opens a session: asks for the window, proves its address where it must, and resolves when the window is told. */
async function open(port: number, conv: number): Promise<Socket> {
  const socket = createSocket('udp4')
  const send = (cmd: number, sn: number, ts: number): void =>
    socket.send(singleSegment({ conv, cmd, frg: MARK, wnd: 32, ts, sn, una: 0 }), port, '127.0.0.1')
  send(Command.Wask, 0, 0)
  const again = setInterval(() => send(Command.Wask, 0, 0), AGAIN_MS)
  for (;;) {
    const [datagram] = (await once(socket, 'message')) as [Buffer]
    const segments = segmentsOf(datagram)
    if (segments === undefined) continue
    const { cmd, sn, ts } = readHeader(segments, 0)
    if (cmd === Command.Wins) break
    if (cmd === Command.Push && sn >= 0x8000_0000) send(Command.Ack, sn, ts)
  }
  clearInterval(again)
  return socket
}

export async function openKcp(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(BATCH, count - sockets.length) }, (_, i) => open(port, sockets.length + i + 1))
    sockets.push(...(await Promise.all(batch)))
  }
  return sockets
}

/** Resident bytes of a server in any language. */
export function residentOf({ pids: [pid] }: Server): number {
  return Number(/^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024
}

/** The part of a core that a server uses in a while without load. */
export async function idleCore({ pids: [pid] }: Server): Promise<number> {
  const ticks = (): number => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return Number(fields[11]) + Number(fields[12])
  }
  await pause(1000) // what the opening has left
  const before = ticks()
  await pause(IDLE_MS)
  return (ticks() - before) / TICKS / (IDLE_MS / 1000)
}
