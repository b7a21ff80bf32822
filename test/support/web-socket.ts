import type { Socket } from 'node:net'
import { applyMask, headerSize, writeHeader } from '../../src/wire/websocket/frame.ts'
import { Event, type FrameReader } from '../../src/wire/websocket/reader.ts'

const MASK = 0x37fa213d

/** A frame with any first byte, masked as those of clients are. */
export function webSocketFrame(first: number, payload: Uint8Array | string = '', masked = true): Buffer {
  const body = Buffer.from(payload as string)
  const bytes = Buffer.alloc(headerSize(body.length, masked) + body.length)
  const start = writeHeader(bytes, 0, 0, body.length, masked ? MASK : undefined)
  bytes[0] = first
  body.copy(bytes, start)
  if (masked) applyMask(bytes, start, bytes.length, MASK)
  return bytes
}

/** The payload of the messages in `chunk`, one after the other. */
export function payloadOf(reader: FrameReader, chunk: Buffer): Buffer {
  const copy = Buffer.from(chunk)
  reader.at = reader.out = 0
  for (let event: Event; (event = reader.read(copy, copy.length)) !== Event.More; ) if (event >= Event.Close) break
  return copy.subarray(0, reader.out)
}

/** A request for a WebSocket. `lines` are more header lines; those of the handshake can be left out or replaced. */
export function upgradeRequest(path: string, lines: readonly string[] = [], without: readonly string[] = []): string {
  const usual = [
    'Host: 127.0.0.1',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ]
  const kept = usual.filter((line) => !without.includes(line.split(':')[0]))
  return [`GET ${path} HTTP/1.1`, ...kept, ...lines, '', ''].join('\r\n')
}

/** Makes a WebSocket of a socket, by hand. A socket that is closed before stays so. */
export async function upgrade(socket: Socket, path: string): Promise<void> {
  socket.write(upgradeRequest(path))
  let head = Buffer.alloc(0)
  while (!head.includes('\r\n\r\n')) {
    if (socket.destroyed) return // refused without an answer
    const more = await new Promise<Buffer | undefined>((resolve) => socket.once('data', resolve).once('close', () => resolve(undefined)))
    if (more === undefined) return
    head = Buffer.concat([head, more])
  }
  if (!head.toString().startsWith('HTTP/1.1 101 ')) throw new Error(head.toString())
  const rest = head.subarray(head.indexOf('\r\n\r\n') + 4)
  if (rest.length > 0) socket.unshift(rest)
}
