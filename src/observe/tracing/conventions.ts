import { type Attributes, type Span, SpanStatusCode } from '@opentelemetry/api'
import { statusText } from '../../base/errors/status.ts'
import type { MeteredSession } from '../../overload/meter.ts'

/**
 * Names of attributes: those of OpenTelemetry's RPC conventions 1.45, those before (`rpc.system`, `rpc.service`), or
 * both.
 */
export type Conventions = 'current' | 'old' | 'both'

/** Name of methods without a route, which peers choose. */
export const OTHER = '_OTHER'
const SYSTEM = 'dmicro'
/** Longest name of a peer's that becomes an attribute, in UTF-16 units. */
const MAX_NAME = 256
/** Most addresses whose parts are remembered. */
const MAX_ADDRESSES = 1024

/** Keys of an address. They are whole here, because V8 would look up each key that is joined when it is used. */
interface AddressKeys {
  readonly host: string
  readonly port: string
}
const server: AddressKeys = { host: 'server.address', port: 'server.port' }
const peer: AddressKeys = { host: 'network.peer.address', port: 'network.peer.port' }

interface Address {
  readonly host: string
  readonly port: number | undefined
}

/** Writes the attributes of spans. */
export class Attribution {
  readonly #isCurrent: boolean
  readonly #isOld: boolean
  /** Parts of the addresses of sessions, whose calls are many. */
  readonly #addresses = new Map<string, Address>()

  constructor(conventions: Conventions) {
    this.#isCurrent = conventions !== 'old'
    this.#isOld = conventions !== 'current'
  }

  /** Name of a span. */
  spanName(method: string): string {
    return method === OTHER ? SYSTEM : method
  }

  /**
   * Attributes of a call or push that is sent or served.
   *
   * @param original the name that the peer sent, where `method` is `_OTHER`
   */
  of(method: string, session: MeteredSession, isClient: boolean, original?: string): Attributes {
    const attributes: Attributes = this.#isCurrent ? { 'rpc.system.name': SYSTEM, 'rpc.method': method } : {}
    const address = this.#addressOf(session)
    if (this.#isCurrent) {
      if (original !== undefined) attributes['rpc.method_original'] = original.slice(0, MAX_NAME).toWellFormed()
      if (isClient) put(attributes, server, address)
      put(attributes, peer, address)
    }
    if (this.#isOld) {
      const slash = method.lastIndexOf('/')
      attributes['rpc.system'] = SYSTEM
      attributes['rpc.service'] = method.slice(0, Math.max(slash, 0)).replace(/^\//, '')
      attributes['rpc.method'] = this.#isCurrent ? method : method.slice(slash + 1)
      if (isClient) put(attributes, server, address)
    }
    return attributes
  }

  #addressOf({ remoteAddress }: MeteredSession): Address {
    let address = this.#addresses.get(remoteAddress)
    if (address === undefined) {
      if (this.#addresses.size === MAX_ADDRESSES) this.#addresses.clear()
      this.#addresses.set(remoteAddress, (address = splitAddress(remoteAddress)))
    }
    return address
  }

  /** Attributes of a call by a service's name, whose attempts tell of nodes. */
  ofAttempts(service: string, method: string): Attributes {
    const attributes: Attributes = { 'dmicro.service': service }
    if (this.#isCurrent) attributes['rpc.system.name'] = SYSTEM
    if (this.#isOld) attributes['rpc.system'] = SYSTEM
    attributes['rpc.method'] = this.#isCurrent ? method : method.slice(method.lastIndexOf('/') + 1)
    return attributes
  }

  /** Attributes of a connection attempt or of a search for nodes. */
  ofStep(target: string): Attributes {
    const attributes: Attributes = {}
    if (!target.includes('://')) {
      attributes['dmicro.service'] = target
      return attributes
    }
    // Without what may be secret: user, query and fragment.
    const rest = target.slice(target.indexOf('://') + 3).replace(/[?#].*$/s, '')
    const address = rest.startsWith('/') ? rest : rest.split('/', 1)[0]
    put(attributes, server, splitAddress(address.slice(address.lastIndexOf('@') + 1)))
    return attributes
  }

  /** Ends a span with the status code of the call; 0 for OK. */
  end(span: Span, code: number): void {
    if (this.#isCurrent) span.setAttribute('rpc.status_code', String(code))
    if (this.#isOld) span.setAttribute('rpc.dmicro.status_code', code)
    if (code !== 0) {
      span.setAttribute('error.type', String(code))
      span.setStatus({ code: SpanStatusCode.ERROR, message: statusText(code) })
    }
    span.end()
  }
}

function put(attributes: Attributes, keys: AddressKeys, { host, port }: Address): void {
  if (host === '') return
  attributes[keys.host] = host
  if (port !== undefined) attributes[keys.port] = port
}

/** Splits `127.0.0.1:9000` and `[::1]:9000`; the path of a Unix socket has no port. */
function splitAddress(address: string): Address {
  const colon = address.lastIndexOf(':')
  const port = Number(address.slice(colon + 1))
  if (colon < 0 || address.startsWith('/') || !Number.isInteger(port)) return { host: address, port: undefined }
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port }
}
