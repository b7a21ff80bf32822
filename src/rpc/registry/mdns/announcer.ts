import type { ClockTimer } from '../../../base/time/clock.ts'
import type { Medium } from './medium.ts'
import type { Instance, PacketWriter } from './packets.ts'
import type { MdnsSettings } from './settings.ts'

/** Most milliseconds between two probes. */
const PROBE_MS = 250
const PROBES = 3
/** Milliseconds between announcements: those of Go, then the last one again and again, because packets are lost. */
const GAPS = [1_000, 2_000, 60_000]

/** Announces one node of this process, with one timer at a time, which `stop` ends at once. */
export class Announcer {
  #instance: Instance
  readonly #settings: MdnsSettings
  readonly #writer: PacketWriter
  readonly #medium: Medium
  #timer: ClockTimer | undefined

  constructor(instance: Instance, settings: MdnsSettings, writer: PacketWriter, medium: Medium) {
    this.#instance = instance
    this.#settings = settings
    this.#writer = writer
    this.#medium = medium
    this.#probe(writer.probe(Math.floor(settings.clock.random() * 0x10000), instance), 0)
  }

  get instance(): Instance {
    return this.#instance
  }

  /** Announces what has changed. Nothing is sent when nothing has. */
  update(instance: Instance): void {
    const { ip, port, txt } = this.#instance
    if (instance.ip === ip && instance.port === port && instance.txt.join() === txt.join()) return
    this.#instance = instance
    this.stop()
    this.#announce(0)
  }

  stop(): void {
    this.#settings.clock.clearTimeout(this.#timer)
  }

  #probe(packet: Buffer, sent: number): void {
    if (sent === PROBES) {
      this.#announce(0)
      return
    }
    this.#medium.announce(packet)
    this.#after(this.#settings.clock.random() * PROBE_MS, () => this.#probe(packet, sent + 1))
  }

  #announce(sent: number): void {
    this.#medium.announce(this.#writer.announcement(this.#instance))
    this.#after(GAPS[Math.min(sent, GAPS.length - 1)], () => this.#announce(sent + 1))
  }

  #after(ms: number, run: () => void): void {
    this.#timer = this.#settings.clock.setTimeout(run, ms)
    this.#timer.unref()
  }
}
