/**
 * A number of milliseconds, 0 or more: a constant, a range [min, max] with equal chances, or the result of a function
 * of a random number from 0 up to 1.
 */
export type Delay = number | readonly [min: number, max: number] | ((random: () => number) => number)

/**
 * Faults on the way from one host to another. Chances are from 0 (never) to 1 and are drawn for each write of a
 * connection: the bytes that one side sends in one turn of the loop are one write.
 */
export interface Faults {
  /**
   * Milliseconds that bytes travel. Bytes never overtake each other: late bytes delay those behind them, as in TCP.
   * @default 0
   */
  delay?: Delay | undefined
  /**
   * Chance of each packet to be lost. A lost packet is sent again after 200 ms, then 400, 800 …, at most 15 times: the
   * connection gets slow, but no byte is missing.
   * @default 0
   */
  loss?: number | undefined
  /**
   * Chance of a write to arrive in pieces, cut anywhere, each with a delay of its own; true stands for 1.
   * @default 0
   */
  split?: number | boolean | undefined
  /**
   * Chance that from a write on nothing arrives for `ms`, then everything that waited.
   * @default never
   */
  stall?: { readonly chance: number; readonly ms: Delay } | undefined
  /**
   * Chance that from a write on nothing of the connection arrives on either side, forever, and neither side is
   * notified: a router lost the connection, or a cable was pulled.
   * @default 0
   */
  drop?: number | undefined
  /**
   * Chance that the connection is reset: both sides are notified, bytes on their way are lost.
   * @default 0
   */
  reset?: number | undefined
  /**
   * Chance that the peer receives the end of the stream (FIN) after a write, although the sender has not ended it.
   * @default 0
   */
  halfClose?: number | undefined
  /**
   * Chance of a connection to be refused, drawn once as it is dialled.
   * @default 0
   */
  refuse?: number | undefined
}

/**
 * The direction that faults apply to: from and to hosts by name. A missing name stands for any host. A reply travels
 * from the server to the client.
 */
export interface Way {
  /**
   * Name of the sending host.
   * @default any
   */
  readonly from?: string | undefined
  /**
   * Name of the receiving host.
   * @default any
   */
  readonly to?: string | undefined
}

/** Faults of one direction, complete, with functions that draw durations. */
export interface Drawn {
  readonly delay: (random: () => number) => number
  readonly loss: number
  readonly split: number
  readonly stall: number
  readonly stallTime: (random: () => number) => number
  readonly drop: number
  readonly reset: number
  readonly halfClose: number
  readonly refuse: number
}

const chances = ['loss', 'drop', 'reset', 'halfClose', 'refuse'] as const
const known = new Set<string>([...chances, 'delay', 'split', 'stall'])

/** Faults by direction; later rules win, field by field. */
export class FaultTable {
  /** Number of changes so far. */
  version = 0
  readonly #rules = new Map<string, { way: Way; faults: Faults }>()

  /**
   * Replaces the faults that were set for the same direction; an empty object removes them.
   * @throws TypeError, RangeError for bad faults
   */
  set(faults: Faults, way: Way): void {
    checkFaults(faults)
    const { from, to } = way
    const key = JSON.stringify([from, to])
    this.#rules.delete(key)
    if (Object.keys(faults).length > 0) this.#rules.set(key, { way, faults: { ...faults } })
    this.version++
  }

  clear(): void {
    this.#rules.clear()
    this.version++
  }

  /**
   * The faults of one connection in one direction.
   * @param own faults of the connection alone, which win over all others
   */
  find(from: string, to: string, own: Faults): Drawn {
    const all: Faults = {}
    for (const { way, faults } of this.#rules.values()) if ((way.from ?? from) === from && (way.to ?? to) === to) Object.assign(all, faults)
    Object.assign(all, own)
    const { loss = 0, drop = 0, reset = 0, halfClose = 0, refuse = 0 } = all
    const split = typeof all.split === 'number' ? all.split : all.split === true ? 1 : 0
    const { chance: stall, ms } = all.stall ?? { chance: 0, ms: 0 }
    return { delay: drawer(all.delay ?? 0), loss, split, stall, stallTime: drawer(ms), drop, reset, halfClose, refuse }
  }
}

/**
 * Checks faults that a test has given.
 * @throws TypeError, RangeError that name the field
 */
export function checkFaults(faults: Faults): void {
  if (typeof faults !== 'object' || faults === null) throw new TypeError('faults must be an object')
  for (const key of Object.keys(faults)) if (!known.has(key)) throw new TypeError(`unknown fault ${JSON.stringify(key)}`)
  for (const name of chances) checkChance(name, faults[name])
  if (typeof faults.split !== 'boolean') checkChance('split', faults.split)
  if (faults.delay !== undefined) checkDelay('delay', faults.delay)
  if (faults.stall === undefined) return
  if (typeof faults.stall !== 'object' || faults.stall === null) throw new TypeError('fault stall must be { chance, ms }')
  checkChance('stall.chance', faults.stall.chance ?? Number.NaN)
  checkDelay('stall.ms', faults.stall.ms)
}

function checkChance(name: string, chance: number | undefined): void {
  if (chance !== undefined && !(typeof chance === 'number' && chance >= 0 && chance <= 1))
    throw new RangeError(`fault ${name} must be a chance from 0 to 1, got ${String(chance)}`)
}

export function checkDelay(name: string, delay: Delay): void {
  if (typeof delay === 'function') return
  const [min, max] = typeof delay === 'number' ? [delay, delay] : Array.isArray(delay) && delay.length === 2 ? delay : [Number.NaN, 0]
  if (!(min >= 0 && min <= max && max <= 2 ** 31 - 1))
    throw new RangeError(
      `fault ${name} must be milliseconds, 0 or more, a range [min, max] of them, or a function; got ${JSON.stringify(delay)}`,
    )
}

export function drawer(delay: Delay): (random: () => number) => number {
  if (typeof delay === 'number') return () => delay
  if (typeof delay === 'function') {
    return (random) => {
      const ms = delay(random)
      checkDelay('delay, a function, whose result', ms)
      return ms
    }
  }
  const [min, max] = delay
  return (random) => min + random() * (max - min)
}
