import { type Abortable, forgetAbort, whenAborted } from '../../../base/async/when-aborted.ts'
import type { Clock } from '../../../base/time/clock.ts'
import type { Client } from './client.ts'
import { EtcdError, GrpcCode, unavailable } from './grpc-status.ts'
import { rangeEnd } from './keys.ts'
import { type WatchEvent, type WatchResponse, watch } from './messages.ts'

/** How far the changes of a cluster are known. Changed as they come. */
export interface WatchPosition {
  readonly clusterId: bigint
  /** Everything up to this revision is known. */
  revision: number
}

/** The changes after a position cannot be had: everything must be read again. */
export class MustReadAgain extends EtcdError {
  constructor(why: string) {
    super(GrpcCode.OutOfRange, why)
  }
}

/**
 * Reports the changes after `position`, which moves on with them. Resolves, or rejects, to why no more come.
 * @throws EtcdError, MustReadAgain among them
 */
export async function watchFrom(
  client: Client,
  prefix: string,
  position: WatchPosition,
  signal: AbortSignal,
  clock: Clock,
  onEvents: (events: readonly WatchEvent[]) => void,
): Promise<EtcdError> {
  const stream = new WatchStream(position, onEvents)
  const opened = await client.open(watch.path, stream, signal)
  const { call, connection, token } = opened
  stream.onRefused = (error) => call.cancel(error)
  const who: Abortable = { onAbort: () => call.cancel(new EtcdError(GrpcCode.Cancelled, 'the watch is over')) }
  if (signal.aborted) who.onAbort(signal)
  else whenAborted(signal, who)
  const late = (): void => call.cancel(unavailable('the server does not begin a watch'))
  const timer = clock.setTimeout(late, client.limits.attemptTimeout)
  stream.onCreated = () => clock.clearTimeout(timer)
  // Open for more requests, since etcd ends a watch whose client will send nothing more.
  call.send(watch.encode({ key: Buffer.from(prefix), end: rangeEnd(prefix), startRevision: position.revision + 1 }), false)
  const reason = await stream.ended
  clock.clearTimeout(timer)
  forgetAbort(signal, who)
  if (!signal.aborted) client.failed(connection, token, reason)
  return reason
}

class WatchStream {
  readonly ended: Promise<EtcdError>
  onCreated: () => void = () => {}
  onRefused: (error: EtcdError) => void = () => {}
  readonly #position: WatchPosition
  readonly #onEvents: (events: readonly WatchEvent[]) => void
  #end: (reason: EtcdError) => void = () => {}
  /** The last revision of an answer of which only parts have come. */
  #incomplete = 0

  constructor(position: WatchPosition, onEvents: (events: readonly WatchEvent[]) => void) {
    this.#position = position
    this.#onEvents = onEvents
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  /** @throws EtcdError, which ends the call */
  onMessage(bytes: Buffer): void {
    const response = watch.decode(bytes)
    // A watch that is refused is created and canceled at once.
    if (response.canceled) this.onRefused(refusal(response))
    else if (response.created) this.#begin(response)
    else this.#take(response)
  }

  onEnd(error: EtcdError | undefined): void {
    this.#end(error ?? unavailable('the server ends the watch'))
  }

  #begin({ header }: WatchResponse): void {
    this.onCreated()
    // A server that was set up anew, or from a backup, has smaller revisions, and would wait for ours in silence. A
    // server that only lags behind has them too; then reading again is no harm.
    if (header.clusterId !== this.#position.clusterId) this.onRefused(new MustReadAgain('this is another cluster'))
    else if (header.revision < this.#position.revision) this.onRefused(new MustReadAgain('the cluster has gone back'))
  }

  #take({ events, fragment }: WatchResponse): void {
    let last = this.#incomplete
    for (const { pair } of events) last = Math.max(last, pair.modRevision)
    this.#onEvents(events)
    // The other parts may have changes of the same revision. Those of this part may come twice, which does not matter.
    this.#incomplete = fragment ? last : 0
    if (!fragment && last > this.#position.revision) this.#position.revision = last
  }
}

/** A watch is refused by a message, not by a status; the status is in its text, if there is one. */
function refusal({ compactRevision, cancelReason }: WatchResponse): EtcdError {
  if (compactRevision > 0) return new MustReadAgain(`changes before revision ${compactRevision} are gone`)
  const code = codes.find(([text]) => cancelReason.includes(text))?.[1]
  if (code === GrpcCode.OutOfRange) return new MustReadAgain(cancelReason)
  return new EtcdError(code ?? GrpcCode.Unavailable, cancelReason || 'the server ends the watch')
}

/** Parts of the text of a refusal, and the codes that they stand for. */
const codes: readonly (readonly [string, number])[] = [
  ['permission denied', GrpcCode.PermissionDenied],
  ['code = PermissionDenied', GrpcCode.PermissionDenied],
  ['invalid auth token', GrpcCode.Unauthenticated],
  ['code = Unauthenticated', GrpcCode.Unauthenticated],
  ['compacted', GrpcCode.OutOfRange],
]
