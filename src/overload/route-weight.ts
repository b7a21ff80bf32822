import { RouteTable } from '../message/route-table.ts'

/** What is known of what the messages of one route cost. */
export class RouteWeight {
  /** One of them may take a slice, or more: it is new, or such that some did. */
  heavy = true
  /** Number of the turn or slice that started one last. */
  mark = 0
}

/** The weights of all routes of an endpoint. */
export class RouteWeights {
  readonly #byRoute = new RouteTable<RouteWeight>()
  /** Of all names that are not of this process. */
  readonly #others = new RouteWeight()
  #marks = 0

  /** @param route number of its name, or -1 */
  of(route: number): RouteWeight {
    if (route < 0) return this.#others
    const known = this.#byRoute.get(route)
    if (known !== undefined) return known
    const weight = new RouteWeight()
    this.#byRoute.set(route, weight)
    return weight
  }

  /** A number for `RouteWeight.mark` that nobody else got. */
  nextMark(): number {
    return ++this.#marks
  }
}

/** The routes of the messages that one turn, or one slice of it, has started. */
export class Started {
  /** One of them may take a slice: nothing is started behind it. */
  heavy = false
  readonly #slice: number
  readonly #slow: number
  readonly #routes: RouteWeight[] = []
  readonly #weights: RouteWeights
  #mark: number

  /**
   * @param slice milliseconds that tell a heavy route from another @param slow milliseconds that cannot come from many light messages
   */
  constructor(slice: number, slow: number, weights: RouteWeights) {
    this.#slice = slice
    this.#slow = slow
    this.#weights = weights
    this.#mark = weights.nextMark()
  }

  add(route: RouteWeight): void {
    if (route.heavy) this.heavy = true
    if (route.mark === this.#mark) return
    route.mark = this.#mark
    this.#routes.push(route)
  }

  /** It is over, and took `time`, with what handlers did behind promises: heavy is who was so and had a slice for himself, or who was there when all took far too long. */
  end(time: number): void {
    const slow = time >= this.#slow && !this.heavy
    for (const route of this.#routes) route.heavy = slow || (route.heavy && time >= this.#slice)
    this.#routes.length = 0
    this.#mark = this.#weights.nextMark()
    this.heavy = false
  }
}
