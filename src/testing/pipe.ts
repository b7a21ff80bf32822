import type { Drawn } from './faults.ts'
import type { Happening, VirtualTime } from './virtual-time.ts'

/** Milliseconds after which TCP sends a lost packet again; then after twice as long, and so on. */
const RETRANSMIT_MS = 200
const MAX_RETRANSMITS = 15

/** A part of a write is taken when there is room for all of it, or for `highWater` divided by this. */
const ROOM_PART = 4

/** The services of its connection that a pipe uses. */
export interface PipeOwner {
  readonly time: VirtualTime
  readonly random: () => number
  /** Most bytes on their way or unread; more wait with the sender. */
  readonly highWater: number
  readonly faults: () => Drawn
  /** Whether packets cannot pass now. */
  readonly blocked: () => boolean
  /** Reports an exception of a user's delay function. */
  readonly fail: (error: unknown) => void
  readonly note: (text: string) => void
  /** Called before a write is sent; false when the connection is gone and the write must be dropped. */
  readonly onWrite: () => boolean
  /** Called when bytes arrive at a side that has closed. */
  readonly onStray: () => void
}

/** The receiving end of a pipe. */
export interface Receiver {
  /** Whether the receiver waits for bytes. Set by the receiver, cleared by the pipe when bytes are delivered. */
  wants: boolean
  /** Receives the next bytes, or null for the end of the stream. */
  receive(bytes: Buffer | null): void
}

interface Packet {
  readonly at: number
  readonly bytes: Buffer | null
  readonly act: (() => void) | null
  /** Whether the packet is not sent again when it is lost. */
  readonly once: boolean
}

/** A write, or the part of it that has not been taken yet. */
interface Write {
  readonly views: readonly Uint8Array[]
  view: number
  offset: number
  left: number
  readonly pieces: boolean
  readonly fin: boolean
  readonly done: () => void
}

/** One direction of a connection: bytes in order, bounded, each packet with its time of arrival. */
export class Pipe {
  receiver: Receiver | undefined
  readonly #owner: PipeOwner
  #flight: Packet[] = []
  /** Chunks that have arrived and are not read; null is the end of the stream. */
  #arrived: (Buffer | null)[] = []
  #unread = 0
  /** Number of bytes in flight and unread. */
  #held = 0
  #write: Write | undefined
  #stalledUntil = 0
  #next: Happening | undefined
  #finished = false
  #over = false

  constructor(owner: PipeOwner) {
    this.#owner = owner
  }

  /** Number of bytes that have arrived and are not read. */
  get unread(): number {
    return this.#unread
  }

  /** Number of bytes in flight and unread. */
  get held(): number {
    return this.#held
  }

  /** Number of bytes of a write that there is no room for yet. */
  get waiting(): number {
    return this.#write?.left ?? 0
  }

  /**
   * Sends bytes. Calls `done`, perhaps before this returns, when there was room for all of them; until then they must
   * not change.
   */
  write(views: readonly Uint8Array[], done: () => void): void {
    const { random, faults, note } = this.#owner
    const size = views.reduce((sum, { length }) => sum + length, 0)
    note(`write ${size}`)
    if (this.#over || !this.#owner.onWrite()) return
    if (this.#finished) {
      done() // after a half-close that was a fault
      return
    }
    const { split, stall, stallTime, halfClose } = faults()
    const pieces = split > 0 && random() < split
    if (stall > 0 && random() < stall) this.stall(this.#draw(stallTime))
    const fin = halfClose > 0 && random() < halfClose
    this.#write = { views, view: 0, offset: 0, left: size, pieces, fin, done }
    this.#fill()
  }

  /** Delays the arrival of everything sent from now on by this many milliseconds. */
  stall(ms: number): void {
    this.#owner.note(`stall ${ms.toFixed(3)}`)
    this.#stalledUntil = Math.max(this.#stalledUntil, this.#owner.time.now + ms)
  }

  /** Sends the end of the stream after what was taken; the rest of a write is lost. */
  finish(): void {
    this.#write = undefined
    if (this.#finished || this.#over) return
    this.#finished = true
    this.#owner.note('fin')
    this.#send(
      null,
      () => {
        this.#arrived.push(null)
        this.pull()
      },
      false,
    )
  }

  /** Calls `act` at the other side, after everything sent before. */
  control(act: () => void): void {
    if (!this.#over) this.#send(null, act, false)
  }

  /**
   * Notifies the other side by a packet (RST). While packets cannot pass it is lost, and so is everything that waits to
   * be sent again.
   */
  abort(act: () => void): void {
    this.#owner.note('rst')
    this.#over = true
    this.#write = undefined
    if (this.#owner.blocked()) this.clear()
    else this.#send(null, act, true)
  }

  /** Whether nothing can be sent any longer. */
  get over(): boolean {
    return this.#over
  }

  /** Drops everything in the pipe, for good. */
  clear(): void {
    this.#over = true
    this.#owner.time.cancel(this.#next)
    this.#next = undefined
    this.#flight = []
    this.#arrived = []
    this.#unread = this.#held = 0
    this.#write = undefined
  }

  /** Must be called when the result of `blocked` has changed. */
  unblock(): void {
    this.#arm()
  }

  /** Delivers arrived chunks for as long as the receiver wants them. */
  pull(): void {
    const { receiver } = this
    while (receiver?.wants === true && this.#arrived.length > 0) {
      const bytes = this.#arrived.shift() as Buffer | null
      receiver.wants = false
      if (bytes !== null) {
        this.#unread -= bytes.length
        this.#held -= bytes.length
      }
      receiver.receive(bytes)
    }
    this.#fill()
  }

  /** Sends as much of the write as there is room for. */
  #fill(): void {
    const write = this.#write
    if (write === undefined) return
    const { highWater, random } = this.#owner
    while (write.left > 0) {
      const most = Math.min(highWater - this.#held, write.left)
      // TCP does the same: room is used only when it is worth a packet, or packets would get smaller and smaller.
      if (most < Math.min(write.left, highWater / ROOM_PART)) return
      const size = write.pieces ? 1 + Math.floor(random() * most) : most
      this.#held += size
      this.#send(take(write, size), null, false)
    }
    this.#write = undefined
    if (write.fin) this.finish()
    write.done()
  }

  #send(bytes: Buffer | null, act: (() => void) | null, once: boolean): void {
    const { time, faults } = this.#owner
    const { delay, loss } = faults()
    // A packet with a shorter delay than those before it arrives right after them.
    const at = Math.max(time.now + this.#draw(delay) + this.#lossTime(loss), this.#stalledUntil)
    this.#flight.push({ at, bytes, act, once })
    this.#arm()
  }

  #lossTime(loss: number): number {
    let time = 0
    for (let n = 0; loss > 0 && n < MAX_RETRANSMITS && this.#owner.random() < loss; n++) time += RETRANSMIT_MS * 2 ** n
    return time
  }

  #draw(from: (random: () => number) => number): number {
    try {
      return from(this.#owner.random)
    } catch (error) {
      this.#owner.fail(error)
      return 0
    }
  }

  #arm(): void {
    if (this.#next !== undefined || this.#flight.length === 0 || (this.#owner.blocked() && !this.#flight[0].once)) return
    this.#next = this.#owner.time.at(this.#flight[0].at, this.#onArrive)
  }

  readonly #onArrive = (): void => {
    this.#next = undefined
    const blocked = this.#owner.blocked()
    if (blocked && !this.#flight[0].once) return
    const packet = this.#flight.shift() as Packet
    if (!blocked) this.#arrive(packet)
    this.#arm()
  }

  #arrive({ bytes, act }: Packet): void {
    if (bytes === null) {
      act?.()
    } else if (this.receiver === undefined) {
      this.#held -= bytes.length
      this.#owner.onStray()
    } else {
      this.#owner.note(`arrive ${bytes.length}`)
      this.#arrived.push(bytes)
      this.#unread += bytes.length
      this.pull()
    }
  }
}

/** A copy of the next bytes of a write. */
function take(write: Write, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  while (at < size) {
    const view = write.views[write.view]
    const count = Math.min(size - at, view.length - write.offset)
    bytes.set(view.subarray(write.offset, write.offset + count), at)
    at += count
    write.offset += count
    if (write.offset === view.length) {
      write.view++
      write.offset = 0
    }
  }
  write.left -= size
  return bytes
}
