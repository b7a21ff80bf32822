import { isIPv4 } from 'node:net'
import dnsPacket, { type Answer, type Question } from 'dns-packet'
import type { DomainNames } from './names.ts'

/** A node as its records say it. Names are without the final dot. */
export interface Instance {
  readonly service: string
  readonly id: string
  /** A literal IP. */
  readonly ip: string
  readonly port: number
  readonly txt: readonly string[]
}

/** Seconds that records are valid, Go's. 0 says goodbye. */
const TTL = 120
/** Flags of a reply beside QR. */
const AUTHORITATIVE = 0x0400
/** Go's port of list entries, where nobody listens. */
const LIST_PORT = 9999
/** Bit of a question's class by which it asks for a unicast reply. */
const UNICAST_CLASS = 'UNKNOWN_32769'

/** Whether a question asks for a unicast reply, which carries the id of the query. */
export function wantsUnicast(question: Question): boolean {
  return (question.class as string | undefined) === UNICAST_CLASS
}

/** Makes the packets of one domain and one host, byte for byte those of Go, whose replies are compressed though. */
export class PacketWriter {
  readonly #names: DomainNames
  readonly #host: string

  /** @param host name of the host, without the final dot */
  constructor(names: DomainNames, host: string) {
    this.#names = names
    this.#host = host
  }

  get host(): string {
    return this.#host
  }

  /** The one question of a lookup. */
  query(id: number, name: string): Buffer {
    return dnsPacket.encode({ type: 'query', id, flags: 0, questions: [{ name, type: 'PTR', class: 'IN' }] })
  }

  /** Sent before announcements, with the data in the authority section. */
  probe(id: number, instance: Instance): Buffer {
    const name = this.#nameOf(instance)
    return dnsPacket.encode({
      type: 'query',
      id,
      flags: 0,
      questions: [{ name, type: 'PTR', class: 'IN' }],
      authorities: [this.#srv(name, instance, 0, 0, TTL), txt(name, instance.txt, TTL)],
    })
  }

  announcement(instance: Instance): Buffer {
    return this.#news(instance, TTL)
  }

  goodbye(instance: Instance): Buffer {
    return this.#news(instance, 0)
  }

  /**
   * A reply, which repeats the questions: Go drops it otherwise. One node only, because Go takes the last one of a
   * datagram.
   */
  reply(id: number, questions: Question[], answers: Answer[]): Buffer {
    return dnsPacket.encode({ type: 'response', id, flags: AUTHORITATIVE, questions, answers })
  }

  /** Records of a node in the order that Go needs: an address before its SRV is lost. */
  instanceRecords(instance: Instance, ttl = TTL): { srv: Answer; address: Answer; txt: Answer } {
    const name = this.#nameOf(instance)
    return { srv: this.#srv(name, instance, 10, 1, ttl), address: this.#address(instance.ip, ttl), txt: txt(name, instance.txt, ttl) }
  }

  /** Records of a service's list entry. */
  listRecords(service: string): { srv: Answer; address: Answer; txt: Answer } {
    return this.instanceRecords({ id: service, service: '_services', ip: '0.0.0.0', port: LIST_PORT, txt: [] })
  }

  pointer(name: string, data: string): Answer {
    return { type: 'PTR', name, ttl: TTL, class: 'IN', data }
  }

  #news(instance: Instance, ttl: number): Buffer {
    const { srv, address, txt } = this.instanceRecords(instance, ttl)
    return dnsPacket.encode({ type: 'response', id: 0, flags: 0, answers: [srv, address, txt] })
  }

  #nameOf({ id, service }: Instance): string {
    return this.#names.instance(id, service)
  }

  #srv(name: string, { port }: Instance, priority: number, weight: number, ttl: number): Answer {
    return { type: 'SRV', name, ttl, class: 'IN', data: { priority, weight, port, target: this.#host } }
  }

  #address(ip: string, ttl: number): Answer {
    return { type: isIPv4(ip) ? 'A' : 'AAAA', name: this.#host, ttl, class: 'IN', data: ip }
  }
}

function txt(name: string, strings: readonly string[], ttl: number): Answer {
  return { type: 'TXT', name, ttl, class: 'IN', data: [...strings] }
}
