import { UNPARSED } from '../../message/message.ts'
import type { ConnectionCore } from './connection-core.ts'
import { ANSWER_BIT, Ctl, MAX_SENDS, SEND_WORDS, Snd } from './ring-layout.ts'

/** Most bytes that UTF-8 takes for one UTF-16 unit. */
export const UTF8_BYTES = 3

/** Upper bound of the bytes of a body. */
export function mostBytes(body: string | Uint8Array | null): number {
  return body === null ? 0 : typeof body === 'string' ? body.length * UTF8_BYTES : body.length
}

/**
 * Makes room for `bytes` bytes in the outbox of a core.
 * @param share bytes in the outbox at which it is drained
 * @returns the number of the next message in it
 */
export function makeRoom(core: ConnectionCore, share: number, bytes: number): number {
  const { control } = core
  const next = control[Ctl.SendNext]
  const count = next - control[Ctl.SendBase]
  const used = control[Ctl.OutboxNext] - control[Ctl.OutboxBase]
  if (count !== MAX_SENDS && (count === 0 || used + bytes <= share)) return next
  core.drain()
  return control[Ctl.SendNext]
}

/** Queues bytes of the outbox as message `next`. */
export function queueBytes(
  core: ConnectionCore,
  slot: number,
  generation: number,
  next: number,
  start: number,
  size: number,
  reply: boolean,
): void {
  const { control, sends } = core
  const send = next * SEND_WORDS
  sends[send + Snd.Slot] = slot
  sends[send + Snd.Generation] = generation
  sends[send + Snd.Bits] = reply ? UNPARSED | ANSWER_BIT : UNPARSED
  sends[send + Snd.Route] = -1
  sends[send + Snd.BodyStart] = start
  sends[send + Snd.BodySize] = size
  sends[send + Snd.MetaSize] = sends[send + Snd.StatusSize] = sends[send + Snd.NameSize] = 0
  control[Ctl.SendNext] = next + 1
}

/**
 * Whether `size` bytes keep to `maxUnsent`. Calls and pushes must find room beside everything that waits, replies
 * beside other replies only: our own requests must not crowd out replies.
 */
export function fits(core: ConnectionCore, slot: number, maxUnsent: number, size: number, reply: boolean): boolean {
  const waits = (reply ? core.replies : core.unsent)[slot]
  return waits === 0 || waits + size <= maxUnsent
}
