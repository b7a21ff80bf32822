import type { ClockTimer } from '../../../base/time/clock.ts'
import { Pacer } from '../../../base/time/pacer.ts'
import { registryLost } from '../errors.ts'
import { sameServices } from '../record.ts'
import type { Service } from '../registry.ts'
import { Readers, type SnapshotReader } from '../snapshots.ts'
import { Collecting } from './collecting.ts'
import { FoundNodes } from './found-nodes.ts'
import type { Medium, Remote } from './medium.ts'
import type { DomainNames } from './names.ts'
import type { PacketWriter } from './packets.ts'
import type { Packet } from './read-packet.ts'
import type { MdnsSettings } from './settings.ts'

/** Milliseconds between the first two questions of a watch; each further gap is twice as long. */
const FIRST_GAP = 1_000
/**
 * Longest milliseconds between two questions: a third of the time that nodes of Go are valid. They never announce
 * themselves again, so that each has to miss three questions before it is taken for gone.
 */
const MAX_GAP = 40_000
/** Milliseconds that a timer is late beyond what a busy process may cause; after that nodes have as long to answer. */
const STANDSTILL_MS = 5_000

/** Asks for the nodes of one name, for all its lookups and watches, and keeps what is answered. */
export class Browse {
  readonly readers = new Readers()
  /** Number of lookups and watches that need it. Counted by the registry. */
  users = 0
  readonly #settings: MdnsSettings
  readonly #medium: Medium
  readonly #question: () => Buffer
  readonly #nodes: FoundNodes
  readonly #collecting: Collecting
  /** Anybody in the network can make changes by the thousand, and each would cost as much as all nodes. */
  readonly #pacer: Pacer
  #isChanged = false
  #latest: readonly Service[] = []
  #timer: ClockTimer | undefined
  #timerAt = Number.POSITIVE_INFINITY
  #gap = FIRST_GAP
  #nextQuestion = Number.POSITIVE_INFINITY
  #failure: { readonly reason: unknown } | undefined

  constructor(service: string, settings: MdnsSettings, names: DomainNames, writer: PacketWriter, medium: Medium, mayDecode: () => boolean) {
    this.#settings = settings
    this.#medium = medium
    this.#question = () => writer.query(Math.floor(settings.clock.random() * 0x10000), names.service(service))
    this.#nodes = new FoundNodes(service, names, mayDecode)
    this.#pacer = new Pacer(settings.clock, () => this.#publish())
    this.#collecting = new Collecting(settings, () => this.#ask())
    this.#collecting.done.then(
      () => this.#begin(),
      () => {},
    )
  }

  /** Asks for the first time. Requires that packets are passed on from now on. */
  start(): void {
    this.#ask()
  }

  /** The services, once the first answers are there. */
  async services(): Promise<readonly Service[]> {
    await this.#collecting.done
    if (this.#isChanged) this.#pacer.now()
    return this.#latest
  }

  addReader(reader: SnapshotReader): void {
    this.readers.add(reader)
    if (this.#failure !== undefined) reader.fail(this.#failure.reason)
    else if (this.#collecting.isOver) reader.set(this.#latest)
  }

  onPacket(packet: Packet, from: Remote): void {
    const now = this.#settings.clock.now()
    if (!this.#nodes.read(packet, from, now)) return
    this.#collecting.heard()
    this.#changed()
  }

  /** Ends everything. Requires that nobody reads any more, or that `reason` is given. */
  stop(reason?: unknown): void {
    this.#settings.clock.clearTimeout(this.#timer)
    this.#timerAt = Number.NEGATIVE_INFINITY
    this.#pacer.stop()
    this.#collecting.fail(reason)
    if (reason === undefined) return
    this.#failure ??= { reason }
    this.readers.fail(reason)
  }

  #ask(): void {
    if (!this.#medium.query(this.#question())) this.stop(registryLost('mdns', 'no network interface takes part in multicast'))
  }

  /** The first answers are there. */
  #begin(): void {
    const { clock } = this.#settings
    this.#latest = this.#nodes.services()
    this.readers.set(this.#latest)
    this.#nextQuestion = clock.now() + this.#gap
    this.#schedule()
  }

  #changed(): void {
    if (!this.#collecting.isOver) return
    this.#isChanged = true
    this.#pacer.soon()
    this.#schedule()
  }

  #publish(): void {
    this.#isChanged = false
    const services = this.#nodes.services()
    if (sameServices(services, this.#latest)) return
    this.#latest = services
    this.readers.set(services)
  }

  /** Sets the one timer to the next question or the next expiry, whichever comes first. */
  #schedule(): void {
    const { clock } = this.#settings
    const time = Math.min(this.#nextQuestion, this.#nodes.times.expires)
    if (time >= this.#timerAt) return
    clock.clearTimeout(this.#timer)
    this.#timerAt = time
    this.#timer = clock.setTimeout(() => this.#wake(), Math.max(0, time - clock.now()))
    this.#timer.unref()
  }

  #wake(): void {
    const { clock } = this.#settings
    const now = clock.now()
    const late = now - this.#timerAt
    // The process stood still, as when it was stopped or suspended: nobody could tell that the nodes live.
    if (late > STANDSTILL_MS) this.#nodes.postpone(late + STANDSTILL_MS)
    this.#timerAt = Number.POSITIVE_INFINITY
    if (now >= this.#nextQuestion) {
      const longest = Math.min(MAX_GAP, Math.max(FIRST_GAP, this.#nodes.times.ttl / 3))
      this.#gap = Math.min(longest, this.#gap * 2)
      // A tenth of chance, so that many processes that started together do not ask together.
      this.#nextQuestion = now + this.#gap * (0.9 + clock.random() / 10)
      this.#ask()
    }
    if (this.#timerAt === Number.NEGATIVE_INFINITY) return
    if (this.#nodes.expire(now)) this.#changed()
    else this.#schedule()
  }
}
