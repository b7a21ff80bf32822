import type { Session } from '../../../src/index.ts'
import { type ProtocolName, protocols } from '../protocols.ts'
import type { Notebook } from '../routes.ts'

/** One thing a Node client must be able to do with a Go server. */
export interface NodeCheck {
  readonly name: string
  /** Where the compatibility page counts it; several checks may share one. */
  readonly row: string
  /** The protocols in which Go cannot do this, with the reason. */
  readonly not?: Except
  run(context: NodeContext): Promise<void>
}

/** What a check works with: one session serves them all. */
export interface NodeContext {
  readonly protocol: ProtocolName
  readonly session: Session
  /** What the server pushed to us. */
  readonly pushed: Notebook
}

/** A reason starts with the entry of docs/spec/go-defects.md (W1), or with `absent` where DMicro does not offer the thing. As in `go/check.go`. */
export type Except = Readonly<Partial<Record<ProtocolName, string>>>

export const noPush = 'absent: no PUSH'
export const noFilters = 'absent: no filters'
export const onlyGzip = 'absent: only gzip'
export const onlyJson = 'absent: only the codec json'
export const noAccept = 'absent: no codec on the wire'
export const w1Bytes = 'W1: bytes that are no UTF-8 are lost'
export const w5 = 'W5: meta names are rewritten, and headers of the protocol are meta'
export const w10Bytes = 'W10: a byte slice is base64 in the envelope'
export const w10Cause = 'W10: the cause is not transmitted'

export const noPushes: Except = { http: noPush, jsonrpc: noPush }
export const allFiltersOnly: Except = { http: onlyGzip, jsonrpc: noFilters }

/** The protocols that do not carry a codec or a list of filters. */
export function unoffered(codec: string, filters: readonly string[]): Except {
  const not: Partial<Record<ProtocolName, string>> = {}
  for (const protocol of protocols) {
    if (protocol === 'jsonrpc' && codec !== 'json') not[protocol] = onlyJson
    else if (protocol === 'jsonrpc' && filters.length > 0) not[protocol] = noFilters
    else if (protocol === 'http' && !['', 'gzip'].includes(filters.join(' '))) not[protocol] = onlyGzip
  }
  return not
}
