import { KcpConversation } from '../../src/wire/kcp/conversation.ts'
import { MARK } from '../../src/wire/kcp/segment.ts'
import type { KcpSettings } from '../../src/wire/kcp/settings.ts'

/** Operations of a script for one conversation; native/kcp/script.cc runs the same. */
export const Op = { Wait: 0, Datagram: 1, Write: 2, Flush: 3, FlushAcks: 4, Read: 5, Ask: 6, Mark: 7, Prompt: 8, BeginAt: 9 } as const

/** Runs a script; returns what was sent and read, and the state after each operation. */
export function runKcpScript(settings: KcpSettings, conv: number, script: Buffer): Buffer {
  const log: Buffer[] = []
  const put = (kind: number, bytes: Buffer): void => {
    const head = Buffer.from([kind, bytes.length & 0xff, bytes.length >> 8])
    log.push(head, Buffer.from(bytes))
  }
  const conversation = new KcpConversation(conv, settings, (datagram) => put(0x44, datagram))
  const { machine } = conversation
  const { sending, receiving, roundTrip, congestion } = machine
  let now = 0
  let at = 0
  const short = (): number => script.readUInt16LE((at += 2) - 2)
  const bytes = (): Buffer => {
    const size = short()
    at += size
    return script.subarray(at - size, at)
  }
  while (at < script.length) {
    const op = script[at++]
    if (op === Op.Wait) now = (now + script.readUInt32LE((at += 4) - 4)) >>> 0
    else if (op === Op.Datagram) conversation.receive(bytes(), now)
    else if (op === Op.Write) sending.write(bytes())
    else if (op === Op.Flush || op === Op.FlushAcks) conversation.flush(op === Op.Flush, now)
    else if (op === Op.Read) {
      for (let left = short(); left > 0; left--) {
        const data = machine.read()
        if (data === undefined) break
        put(0x52, data)
      }
    } else if (op === Op.Ask) machine.ask()
    else if (op === Op.Mark) machine.mark = MARK
    else if (op === Op.Prompt) machine.prompt = true
    else if (op === Op.BeginAt) sending.una = sending.next = receiving.next = script.readUInt32LE((at += 4) - 4)
    const flags = Number(machine.dead) | (Number(machine.lost) << 1) | (Number(conversation.repairOff) << 2)
    const numbers = [
      ...[sending.una, sending.next, receiving.next, machine.remoteWindow, congestion.size, roundTrip.rto],
      ...[roundTrip.srtt >>> 0, sending.size, machine.wanted, flags, machine.due(now)],
    ]
    const state = Buffer.alloc(1 + numbers.length * 4)
    state[0] = 0x53
    numbers.forEach((value, i) => {
      state.writeUInt32LE(value, 1 + i * 4)
    })
    log.push(state)
  }
  return Buffer.concat(log)
}

/** Collects the operations of a script. */
export class KcpScript {
  readonly #parts: Buffer[] = []

  get bytes(): Buffer {
    return Buffer.concat(this.#parts)
  }

  add(op: number, given?: number | Buffer): void {
    this.#parts.push(Buffer.from([op]))
    if (given === undefined) return
    const long = op === Op.Wait || op === Op.BeginAt
    const head = Buffer.alloc(long ? 4 : 2)
    if (long) head.writeUInt32LE(given as number)
    else head.writeUInt16LE(typeof given === 'number' ? given : given.length)
    this.#parts.push(head)
    if (typeof given !== 'number') this.#parts.push(given)
  }
}
