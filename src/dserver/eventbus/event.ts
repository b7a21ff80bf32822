/** The part of an event that its views share; made when it is first needed. */
interface Shared {
  aborted: boolean
  readonly state: Map<unknown, unknown>
}

/** An event as its listeners get it. Each publish makes a new one. */
export class BusEvent<Name extends string = string, Data = unknown> {
  /** Name of the event; for a listener of an alias, the alias. */
  readonly name: Name
  /** The value that was published, the same for all listeners. */
  readonly data: Data
  // Nothing here is #private, and there are few fields, because an event is made for each publish.
  private shared: Shared | undefined

  /** @internal */
  constructor(name: Name, data: Data, shared: Shared | undefined) {
    this.name = name
    this.data = data
    this.shared = shared
  }

  /** Whether a listener has called `abort`. */
  get aborted(): boolean {
    return this.shared?.aborted === true
  }

  /** Values that listeners hand on to later listeners of this publish. */
  get state(): Map<unknown, unknown> {
    return this.share().state
  }

  /** Stops this publish: no further listener is started. */
  abort(): void {
    this.share().aborted = true
  }

  /**
   * The same event under an alias.
   *
   * @internal
   */
  under(alias: string): BusEvent<string, Data> {
    return new BusEvent(alias, this.data, this.share())
  }

  private share(): Shared {
    this.shared ??= { aborted: false, state: new Map() }
    return this.shared
  }
}
