/** A route, as `afterRegRouter` sees it. */
export interface RouteInfo {
  /** The name that callers use, such as `/math/add`. */
  readonly name: string
  /** Whether the route takes CALLs or PUSHes. */
  readonly kind: 'call' | 'push'
}
