import type { Endpoint } from '../endpoint/endpoint.ts'

/** The parts that an endpoint was made by; their classes are not named here, which import this file. */
interface EndpointOwner {
  /** An `RpcClient`. */
  readonly client?: object
  /** An `RpcServer`. */
  readonly server?: object
}

const owners = new WeakMap<Endpoint, EndpointOwner>()

/** Notes that `endpoint` is that of a client or a server, for those who see only endpoints: plugins. */
export function noteOwner(endpoint: Endpoint, owner: EndpointOwner): void {
  owners.set(endpoint, owner)
}

/** The client or server that made `endpoint`; undefined for none. */
export function ownerOf(endpoint: Endpoint): EndpointOwner | undefined {
  return owners.get(endpoint)
}
