import type { MessageType } from '../message/message-type.ts'
import type { StandardSchemaV1 } from '../message/standard-schema.ts'

/** A route, as `afterRegRouter` sees it. */
export interface RouteInfo {
  /** The name that callers use, such as `/math/add`. */
  readonly name: string
  /** Whether the route takes CALLs or PUSHes. */
  readonly kind: 'call' | 'push'
  /** Type or schema of the argument; undefined for none. */
  readonly arg?: MessageType | StandardSchemaV1 | undefined
}
