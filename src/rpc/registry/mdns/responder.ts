import { isIPv4 } from 'node:net'
import type { Answer, Question } from 'dns-packet'
import { Announcer } from './announcer.ts'
import type { Medium, Remote } from './medium.ts'
import type { DomainNames } from './names.ts'
import { type Instance, type PacketWriter, wantsUnicast } from './packets.ts'
import type { Packet } from './read-packet.ts'
import { Budget, type MdnsSettings } from './settings.ts'

/** Most replies in a second. A question of 40 bytes gets 400 back, which must not be used against others. */
const REPLIES_PER_SECOND = 2_000

/** The nodes of this process: announces them, and answers questions. */
export class Responder {
  readonly #settings: MdnsSettings
  readonly #names: DomainNames
  readonly #writer: PacketWriter
  readonly #medium: Medium
  readonly #budget: Budget
  /** Nodes by service, then by id. */
  readonly #services = new Map<string, Map<string, Announcer>>()

  constructor(settings: MdnsSettings, names: DomainNames, writer: PacketWriter, medium: Medium) {
    this.#settings = settings
    this.#names = names
    this.#writer = writer
    this.#medium = medium
    this.#budget = new Budget(settings.clock, REPLIES_PER_SECOND)
  }

  /** Publishes a node, or what has changed of it. Returns whether it is new. */
  publish(instance: Instance): boolean {
    let nodes = this.#services.get(instance.service)
    if (nodes === undefined) this.#services.set(instance.service, (nodes = new Map()))
    const known = nodes.get(instance.id)
    if (known !== undefined) {
      known.update(instance)
      return false
    }
    nodes.set(instance.id, new Announcer(instance, this.#settings, this.#writer, this.#medium))
    return true
  }

  /** Says goodbye for a node. Returns whether it was there. */
  withdraw(service: string, id: string): boolean {
    const nodes = this.#services.get(service)
    const found = nodes?.get(id)
    if (nodes === undefined || found === undefined) return false
    nodes.delete(id)
    if (nodes.size === 0) this.#services.delete(service)
    found.stop()
    this.#medium.announce(this.#writer.goodbye(found.instance))
    return true
  }

  /** Stops without goodbyes. */
  close(): void {
    for (const nodes of this.#services.values()) for (const node of nodes.values()) node.stop()
    this.#services.clear()
  }

  /** Answers questions about our nodes, each node in a datagram of its own. */
  onQuery({ id, questions }: Packet, from: Remote): void {
    for (const question of questions) {
      const replyId = wantsUnicast(question) ? id : 0
      for (const answers of this.#answersTo(question)) {
        if (!this.#budget.take()) return
        this.#medium.reply(this.#writer.reply(replyId, questions, answers), from)
      }
    }
  }

  *#answersTo(question: Question): Generator<Answer[]> {
    const { name } = question
    // The library's type leaves out ANY.
    const type: string = question.type
    const isPointer = type === 'PTR' || type === 'ANY'
    if (isPointer && name === this.#names.browse) yield* this.#answersToBrowse()
    else if (isPointer && name === this.#names.list) for (const service of this.#services.keys()) yield this.#listEntry(service, true)
    else yield* this.#answersAbout(name, type)
  }

  *#answersToBrowse(): Generator<Answer[]> {
    const { browse, list } = this.#names
    if (this.#services.size > 0) yield [this.#writer.pointer(browse, list)]
    for (const service of this.#services.keys()) yield [this.#writer.pointer(browse, this.#names.service(service))]
  }

  *#answersAbout(name: string, type: string): Generator<Answer[]> {
    const listed = this.#names.listed(name)
    if (listed !== undefined && type === 'ANY' && this.#services.has(listed)) yield this.#listEntry(listed, false)
    for (const [service, nodes] of this.#services) {
      const serviceName = this.#names.service(service)
      // Most questions are about other services, so its nodes are not even looked at.
      if (name !== this.#writer.host && !name.endsWith(serviceName)) continue
      for (const { instance } of nodes.values()) {
        const instanceName = this.#names.instance(instance.id, service)
        const { srv, address, txt } = this.#writer.instanceRecords(instance)
        const addressType = isIPv4(instance.ip) ? 'A' : 'AAAA'
        if (name === serviceName && (type === 'PTR' || type === 'ANY'))
          yield [this.#writer.pointer(serviceName, instanceName), srv, address, txt]
        if (name === this.#writer.host && type === addressType) yield [address]
        if (name !== instanceName) continue
        if (type === 'ANY') yield [srv, address, txt]
        if (type === 'SRV') yield [srv, address]
        if (type === 'TXT') yield [txt]
        if (type === addressType) yield [address]
      }
    }
  }

  #listEntry(service: string, withPointer: boolean): Answer[] {
    const { srv, address, txt } = this.#writer.listRecords(service)
    const entry = [srv, address, txt]
    return withPointer ? [this.#writer.pointer(this.#names.list, `${service}.${this.#names.list}`), ...entry] : entry
  }
}
