/** A running instance of a service, as a registry keeps it. */
export interface ServiceNode {
  /** Unique among the running instances; Go's are `<service>-<address>`. */
  readonly id: string
  /** Address that a client dials: `host:port`, the path of a Unix socket, or a url such as `tls://host:port`. */
  readonly address: string
  /** The routes it serves, as the mapper names them; `undefined` where the registry does not carry them (mDNS). */
  readonly paths: readonly string[] | undefined
  /** Properties of the instance, such as its zone: string values by key. */
  readonly metadata: Readonly<Record<string, string>>
}

/** One version of a service and its running instances. */
export interface Service {
  /** Name by which clients look for the service. */
  readonly name: string
  /** Free text, may be empty. Several versions of one name may run beside each other. */
  readonly version: string
  /** Properties of the version: string values by key. */
  readonly metadata: Readonly<Record<string, string>>
  /** The running instances of this version. */
  readonly nodes: readonly ServiceNode[]
}

/** Options of `Registry.register`. */
export interface RegisterOptions {
  /** How long the record outlives its process, in milliseconds. Whoever registers renews in time. Default: 90,000. */
  readonly ttl?: number
  /** Ends the attempt. Default: none. */
  readonly signal?: AbortSignal
}

/** Options of the other operations of a registry. */
export interface LookupOptions {
  /** Ends the lookup, or the watch. Default: none. */
  readonly signal?: AbortSignal
}

/**
 * Where services are registered and found. A user's own is one object of this shape. Every operation that waits takes a
 * signal, and none waits without a bound: a registry that is lost rejects, it does not hang.
 */
export interface Registry {
  /** Kind of the registry, as `etcd`. */
  readonly name: string
  /** Puts in the nodes of `service`, or renews them. Once more for a node that is there writes what has changed. */
  register(service: Service, options?: RegisterOptions): Promise<void>
  /** Takes out the nodes of `service`, by their ids. Those that are not there are no error. */
  deregister(service: Service, options?: LookupOptions): Promise<void>
  /**
   * One element per version. Empty says with authority that nobody serves `name`; a registry that does not know
   * rejects.
   */
  getService(name: string, options?: LookupOptions): Promise<readonly Service[]>
  /** All versions of all names, sorted by name; a registry may leave out the nodes. */
  listServices(options?: LookupOptions): Promise<readonly Service[]>
  /**
   * The services of `name` as they are now, then again after every change: always all of them, so that nothing has to
   * be merged, and only the latest where the reader is slow. Throws when the registry is lost; ends when `signal` is
   * aborted.
   */
  watch(name: string, options?: LookupOptions): AsyncIterable<readonly Service[]>
  /**
   * Gives back sockets and timers. What this registry registered stays until its time to live is over, unless
   * deregistered.
   */
  close(): Promise<void>
}

/** {@link RegisterOptions.ttl} where none is given; Go's. */
export const REGISTER_TTL = 90_000
