/** Milliseconds: a number, a range in which each is as likely, or what a function makes of a random number from 0 up to 1. */
export type Delay = number | readonly [min: number, max: number] | ((random: () => number) => number)

/**
 * What goes wrong on a way from one host to another. Chances are from 0 (never, the default of all) to 1, and are drawn for each write of a
 * connection: what one side sends in one turn of the loop is one write.
 */
export interface Faults {
  /** Time that bytes travel. Bytes never overtake each other: one that is late holds up what follows, as in TCP. Default 0. */
  delay?: Delay | undefined
  /** Chance of each packet to be lost. It is sent again after 200 ms, then 400, 800 …, at most 15 times: the connection is slow, no byte is missing. */
  loss?: number | undefined
  /** Chance of a write to arrive in pieces, cut anywhere, each with a delay of its own; true: each write. */
  split?: number | boolean | undefined
  /** Nothing passes for a while, then all that waited. */
  stall?: { readonly chance: number; readonly ms: Delay } | undefined
  /** Chance that from here on nothing of the connection arrives on either side, for ever, and nobody is told: a router lost it, a cable is pulled. */
  drop?: number | undefined
  /** Chance that the connection is reset: both sides are told, what was on its way is lost. */
  reset?: number | undefined
  /** Chance that the peer gets the end of the stream (FIN) behind this write, though the sender goes on. */
  halfClose?: number | undefined
  /** Chance of a connection to be refused, drawn as it is dialled. */
  refuse?: number | undefined
}

/** Which ways faults are for: from and to hosts by name, a missing one for any. A reply travels from the server to the client. */
export interface Way {
  readonly from?: string | undefined
  readonly to?: string | undefined
}

/** Draws from `random` what faults do. */
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

/** Faults by the ways they are for; those set later win, field by field. */
export class FaultTable {
  /** Counts changes. */
  version = 0
  readonly #rules = new Map<string, { way: Way; faults: Faults }>()

  /** Takes the place of what was set for the same way before. @throws TypeError, RangeError for bad faults */
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

  /** @param own what is set for the connection alone, over all others */
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

/** @throws TypeError, RangeError that names the field */
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
