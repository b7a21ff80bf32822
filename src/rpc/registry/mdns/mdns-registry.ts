import { orAborted } from '../../../base/async/or-aborted.ts'
import { runInRoot } from '../../../base/async/root-context.ts'
import { timeLimit } from '../../../base/check-options.ts'
import { registryClosed, registryLost } from '../errors.ts'
import { compare, copyService, requireName } from '../record.ts'
import { type LookupOptions, REGISTER_TTL, type RegisterOptions, type Registry, type Service } from '../registry.ts'
import { SnapshotReader } from '../snapshots.ts'
import { Browse } from './browse.ts'
import { instanceOf, isLarge, requireServiceName } from './instance.ts'
import { ListCollector } from './list.ts'
import type { Medium, MediumHandler, Remote } from './medium.ts'
import { DomainNames, encodedName } from './names.ts'
import { PacketWriter } from './packets.ts'
import { readPacket } from './read-packet.ts'
import { Responder } from './responder.ts'
import { Budget, type MdnsSettings } from './settings.ts'

/** Most packets of the domain that are read in a second, and most new payloads that are unpacked. */
const PACKETS_PER_SECOND = 10_000
const PAYLOADS_PER_SECOND = 2_000

/** A registry on a medium. The medium is open as long as there is a node of ours, a lookup or a watch. */
export class MdnsRegistry implements Registry, MediumHandler {
  readonly name = 'mdns'
  readonly #settings: MdnsSettings
  readonly #medium: Medium
  readonly #names: DomainNames
  readonly #writer: PacketWriter
  readonly #responder: Responder
  readonly #browses = new Map<string, Browse>()
  readonly #lists = new Set<ListCollector>()
  /** The domain as it is in each packet that concerns us. */
  readonly #mark: Buffer
  readonly #packets: Budget
  readonly #payloads: Budget
  /** Number of nodes, lookups and watches. */
  #users = 0
  #opened: Promise<void> | undefined
  #closed = false

  constructor(settings: MdnsSettings, medium: Medium) {
    this.#settings = settings
    this.#medium = medium
    this.#names = new DomainNames(settings.domain)
    this.#writer = new PacketWriter(this.#names, settings.hostName)
    this.#responder = new Responder(settings, this.#names, this.#writer, medium)
    this.#mark = encodedName(settings.domain)
    this.#packets = new Budget(settings.clock, PACKETS_PER_SECOND)
    this.#payloads = new Budget(settings.clock, PAYLOADS_PER_SECOND)
  }

  /** Announces the nodes. They stay as long as this process does, whatever the time to live. */
  async register(service: Service, options: RegisterOptions = {}): Promise<void> {
    this.#begin(options.signal)
    timeLimit('ttl', options.ttl, REGISTER_TTL)
    const copy = copyService(service)
    const own = (): string => this.#settings.advertise || this.#medium.ownAddress()
    const instances = copy.nodes.map((node) => instanceOf(copy, node, this.#names, own))
    await this.#use(async () => {
      options.signal?.throwIfAborted()
      for (const instance of instances) {
        if (!this.#responder.publish(instance)) continue
        this.#users++
        if (isLarge(instance)) this.#settings.log.warn('mDNS packets of a node are sent in pieces: much metadata', { node: instance.id })
        if (copy.version === '') this.#settings.log.warn('a node without a version is ignored by watches of Go', { node: instance.id })
      }
    })
  }

  async deregister(service: Service, options: LookupOptions = {}): Promise<void> {
    this.#begin(options.signal)
    const { name, nodes } = copyService(service)
    for (const { id } of nodes) if (this.#responder.withdraw(name, id)) this.#release()
  }

  async getService(name: string, options: LookupOptions = {}): Promise<readonly Service[]> {
    this.#begin(options.signal)
    this.#check(name)
    return orAborted(
      this.#use(async () => {
        const browse = this.#browse(name)
        try {
          return await browse.services()
        } finally {
          this.#leave(name, browse)
        }
      }),
      options.signal,
    )
  }

  async listServices(options: LookupOptions = {}): Promise<readonly Service[]> {
    this.#begin(options.signal)
    return orAborted(
      this.#use(async () => {
        const list = new ListCollector(this.#settings, this.#names, this.#writer, this.#medium)
        this.#lists.add(list)
        list.start()
        try {
          const names = await list.names()
          return names.sort(compare).map((name): Service => ({ name, version: '', metadata: {}, nodes: [] }))
        } finally {
          this.#lists.delete(list)
        }
      }),
      options.signal,
    )
  }

  watch(name: string, options: LookupOptions = {}): AsyncIterable<readonly Service[]> {
    this.#check(name)
    let browse: Browse | undefined
    let gone = false
    const open = (reader: SnapshotReader): Promise<void> =>
      this.#use(async () => {
        if (gone) return
        browse = this.#browse(name)
        this.#users++
        browse.addReader(reader)
      }).catch((error: unknown) => reader.fail(error))
    return new SnapshotReader(
      {
        onReader: (reader) => {
          if (this.#closed) reader.fail(registryClosed(this.name))
          else void open(reader)
        },
        onReaderGone: (reader) => {
          gone = true
          if (browse === undefined) return
          browse.readers.delete(reader)
          this.#leave(name, browse)
          this.#release()
        },
      },
      options.signal,
    )
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#responder.close()
    const error = registryClosed(this.name)
    for (const browse of [...this.#browses.values()]) browse.stop(error)
    for (const list of this.#lists) list.stop(error)
    await this.#opened?.catch(() => {})
    this.#medium.close()
  }

  onPacket(bytes: Buffer, from: Remote): void {
    // Most packets on the port are of others, and of no interest.
    if (this.#closed || !bytes.includes(this.#mark) || !this.#packets.take()) return
    const packet = readPacket(bytes)
    if (packet === undefined) return
    if (!packet.isResponse) {
      this.#responder.onQuery(packet, from)
      return
    }
    for (const browse of this.#browses.values()) browse.onPacket(packet, from)
    for (const list of this.#lists) list.onPacket(packet)
  }

  #begin(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted()
    if (this.#closed) throw registryClosed(this.name)
  }

  #check(name: string): void {
    requireName(name)
    requireServiceName(name, this.#names)
  }

  /** The browse of a name, which has one user more. */
  #browse(name: string): Browse {
    let browse = this.#browses.get(name)
    if (browse === undefined) {
      browse = new Browse(name, this.#settings, this.#names, this.#writer, this.#medium, () => this.#payloads.take())
      this.#browses.set(name, browse)
      browse.start()
    }
    browse.users++
    return browse
  }

  #leave(name: string, browse: Browse): void {
    if (--browse.users > 0) return
    browse.stop()
    if (this.#browses.get(name) === browse) this.#browses.delete(name)
  }

  /** Runs `run` while the medium is open. */
  async #use<T>(run: () => Promise<T>): Promise<T> {
    this.#users++
    try {
      this.#opened ??= runInRoot(() => this.#medium.open(this), undefined)
      await this.#opened.catch((error: unknown) => {
        throw registryLost(this.name, error)
      })
      if (this.#closed) throw registryClosed(this.name)
      return await run()
    } finally {
      this.#release()
    }
  }

  #release(): void {
    if (--this.#users > 0 || this.#closed) return
    this.#opened = undefined
    this.#medium.close()
  }
}
