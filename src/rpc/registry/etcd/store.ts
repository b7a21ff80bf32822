import type { Client, OperationOptions } from './client.ts'
import { TooLong } from './frames.ts'
import { EtcdError, GrpcCode, isCode, isRetryable } from './grpc-status.ts'
import { rangeEnd } from './keys.ts'
import { type Header, type KeyValue, type RangeResponse, range } from './messages.ts'

/** Keys that are asked for at once, which makes some hundred KiB of ordinary nodes. */
const PAGE = 1_000
/** Keys that are asked for where values are long; this many of the longest that etcd takes fit into one message. */
const SMALL_PAGE = 8
/** Most keys below one prefix: more are no registry, and would fill the memory. */
const MAX_KEYS = 200_000
/** Most bytes of their values together. */
const MAX_BYTES = 256 * 1024 * 1024

/** All keys with a prefix, as they were at one moment. */
export interface Snapshot {
  readonly header: Header
  readonly pairs: readonly KeyValue[]
}

/**
 * Reads all keys that begin with `prefix`, in parts.
 *
 * The answer is what the whole cluster has agreed upon. Only when no server can get that, what one of them has is
 * taken, if it has anything: nodes that may be gone are of more use than none, while an empty answer would say that
 * nobody serves.
 * @throws EtcdError
 */
export async function readAll(client: Client, prefix: string, options: OperationOptions, onStale: () => void): Promise<Snapshot> {
  try {
    return await readPages(client, prefix, options, false)
  } catch (error) {
    if (!isRetryable(error) || client.isClosed) throw error
    const quick = { ...options, timeout: client.limits.attemptTimeout }
    const stale = await readPages(client, prefix, quick, true).catch(() => undefined)
    options.signal?.throwIfAborted()
    if (stale === undefined || stale.pairs.length === 0) throw error
    onStale()
    return stale
  }
}

async function readPages(client: Client, prefix: string, options: OperationOptions, serializable: boolean): Promise<Snapshot> {
  const end = rangeEnd(prefix)
  const pairs: KeyValue[] = []
  let key = Buffer.from(prefix)
  let limit = PAGE
  let header: Header | undefined
  let bytes = 0
  for (;;) {
    const request = { key, end, limit, serializable, revision: header?.revision ?? 0 }
    let page: RangeResponse
    try {
      page = await client.call(range, request, { ...options, withoutLeader: serializable })
    } catch (error) {
      if (error instanceof TooLong && limit > SMALL_PAGE) limit = SMALL_PAGE
      // The revision of the first part has been compacted meanwhile.
      else if (isCode(error, GrpcCode.OutOfRange) && header !== undefined) {
        pairs.length = 0
        bytes = 0
        key = Buffer.from(prefix)
        header = undefined
      } else throw error
      continue
    }
    header ??= page.header
    for (const pair of page.pairs) {
      pairs.push(pair)
      bytes += pair.value.length
    }
    if (pairs.length > MAX_KEYS || bytes > MAX_BYTES) throw new EtcdError(GrpcCode.ResourceExhausted, `too many keys below ${prefix}`)
    const last = page.pairs.at(-1)
    if (!page.more || last === undefined) return { header, pairs }
    const next = Buffer.from(`${last.key}\0`, 'latin1')
    if (next.compare(key) <= 0) throw new EtcdError(GrpcCode.Internal, 'the server repeats keys')
    key = next
  }
}
