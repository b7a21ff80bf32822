import { RouteTable } from '../message/route-table.ts'

/** The known cost of messages of one route. */
class RouteWeight {
  /** Whether a message may take a whole slice or more: the route is new, or some messages did. */
  heavy = true
  /** Number of the turn or slice in which one was last started. */
  mark = 0
}

/** The weights of all routes of an endpoint. */
export class RouteWeights {
  readonly #byRoute = new RouteTable<RouteWeight>()
  /** Weight of all names that this process does not know. */
  readonly #others = new RouteWeight()
  #marks = 0

  /**
   * Returns the weight of a route.
   *
   * @param route number of its name; -1 for an unknown name
   */
  of(route: number): RouteWeight {
    if (route < 0) return this.#others
    const known = this.#byRoute.get(route)
    if (known !== undefined) return known
    const weight = new RouteWeight()
    this.#byRoute.set(route, weight)
    return weight
  }

  /** A new number for `RouteWeight.mark`. */
  nextMark(): number {
    return ++this.#marks
  }
}

/** The routes of the messages that one turn or slice has started. */
export class Started {
  /** Whether one of them may take a whole slice, so that nothing may start after it. */
  heavy = false
  readonly #slice: number
  readonly #slow: number
  readonly #routes: RouteWeight[] = []
  readonly #weights: RouteWeights
  #mark: number

  /**
   * @param slice milliseconds from which a route is heavy
   * @param slow milliseconds that many light messages never take together
   */
  constructor(slice: number, slow: number, weights: RouteWeights) {
    this.#slice = slice
    this.#slow = slow
    this.#weights = weights
    this.#mark = weights.nextMark()
  }

  /** Adds the route of a message that starts. */
  add(route: RouteWeight): void {
    if (route.heavy) this.heavy = true
    if (route.mark === this.#mark) return
    route.mark = this.#mark
    this.#routes.push(route)
  }

  /**
   * Ends the turn or slice and updates the weights: a heavy route stays heavy when it took a whole slice, and all
   * become heavy when light ones took far too long.
   *
   * @param time milliseconds that it took, including continuations of handlers after promises
   */
  end(time: number): void {
    const slow = time >= this.#slow && !this.heavy
    for (const route of this.#routes) route.heavy = slow || (route.heavy && time >= this.#slice)
    this.#routes.length = 0
    this.#mark = this.#weights.nextMark()
    this.heavy = false
  }
}
