/** First label of the names that list services. */
export const LIST_LABEL = '_services'

/**
 * Longest name in bytes as text. On the wire each label has a length before it and the name a zero behind it, which
 * together take two bytes more, and 255 is what DNS allows.
 */
const MAX_NAME = 253
const MAX_LABEL = 63

/**
 * Printable ASCII without what the DNS library of Go escapes when it makes text of a name. Go compares names as text,
 * so a name with such a character would never equal itself.
 */
const plain = /^[!#$%&*+,\-./0-9:<=>?A-Z[\]^_`a-z{|}~]+$/

/** The names of one mDNS domain, without the final dot. */
export class DomainNames {
  readonly domain: string
  /** The name whose PTR records are the names of services. */
  readonly list: string
  /** The name by which DNS-SD browses for kinds of services. */
  readonly browse: string

  constructor(domain: string) {
    this.domain = domain
    this.list = `${LIST_LABEL}.${domain}`
    this.browse = `_services._dns-sd._udp.${domain}`
  }

  service(name: string): string {
    return `${name}.${this.domain}`
  }

  instance(id: string, service: string): string {
    return `${id}.${service}.${this.domain}`
  }

  /** The service whose list entry has this name; undefined when it is none. */
  listed(instance: string): string | undefined {
    const suffix = `.${this.list}`
    return instance.endsWith(suffix) ? instance.slice(0, -suffix.length) : undefined
  }
}

/** Whether a name can be sent, and is read by Go as it was sent. */
export function isDnsName(name: string): boolean {
  if (name.length > MAX_NAME || !plain.test(name)) return false
  return name.split('.').every((label) => label.length > 0 && label.length <= MAX_LABEL)
}

/** `name` in the form in which it is in a packet, at least once. */
export function encodedName(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')]))
  return Buffer.concat([...labels, Buffer.from([0])])
}
