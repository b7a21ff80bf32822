import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import dnsPacket, { type Answer, type Question } from 'dns-packet'

type Kind = 'A' | 'AAAA' | 'SRV'

/** A name server on loopback. It answers out of `records`, and of other names says that there are none. */
export class DnsServer {
  readonly #socket = createSocket('udp4')
  /** By `TYPE name`. */
  readonly records = new Map<string, Answer[]>()
  /** Return code by `TYPE name`, or 'silent' for no answer at all. */
  readonly faults = new Map<string, number | 'silent'>()
  /** Every question, as `TYPE name`. */
  readonly asked: string[] = []

  static async start(t: TestContext): Promise<DnsServer> {
    const server = new DnsServer()
    server.#socket.on('message', (packet, { port, address }) => server.#answer(packet, port, address))
    server.#socket.bind(0, '127.0.0.1')
    await once(server.#socket, 'listening')
    t.after(() => server.#socket.close())
    return server
  }

  /** As the option `servers` names it. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`
  }

  setAddresses(kind: 'A' | 'AAAA', name: string, addresses: readonly string[]): void {
    this.#set(
      kind,
      name,
      addresses.map((data): Answer => ({ type: kind, name, ttl: 300, data })),
    )
  }

  setTargets(name: string, targets: readonly { target: string; port: number; priority?: number; weight?: number }[]): void {
    this.#set(
      'SRV',
      name,
      targets.map((data): Answer => ({ type: 'SRV', name, ttl: 300, data })),
    )
  }

  #set(kind: Kind, name: string, answers: Answer[]): void {
    if (answers.length > 0) this.records.set(`${kind} ${name}`, answers)
    else this.records.delete(`${kind} ${name}`)
  }

  #answer(packet: Buffer, port: number, address: string): void {
    const { id, questions = [] } = dnsPacket.decode(packet)
    const [question] = questions as Question[]
    const key = `${question.type} ${question.name}`
    this.asked.push(key)
    const fault = this.faults.get(key)
    if (fault === 'silent') return
    const answers = this.records.get(key) ?? []
    const isKnown = [...this.records.keys()].some((known) => known.endsWith(` ${question.name}`))
    const rcode = fault ?? (isKnown ? 0 : 3)
    this.#socket.send(dnsPacket.encode({ type: 'response', id, flags: 0x0580 | rcode, questions, answers }), port, address)
  }
}
