import { CloseReason } from '../../message/close-reason.ts'
import type { BucketPlan } from './buckets.ts'
import type { CallCounts, PushCounts } from './call-counts.ts'
import type { EndpointSet } from './endpoints.ts'
import { type Buckets, counter, type Family, gauge, histogram, type Visitor } from './family.ts'
import { Labels } from './labels.ts'
import type { EndpointMeter } from './meter.ts'
import type { ProcessMetrics } from './process.ts'

/** All that a scrape reads. */
export interface Sources {
  readonly meter: EndpointMeter
  readonly endpoints: EndpointSet
  /** Undefined when another registry has the metrics of the process. */
  readonly process: ProcessMetrics | undefined
  readonly plan: BucketPlan
}

/** Names of close reasons as label values, such as `frame_timeout`. */
const reasons = Object.keys(CloseReason).map((name) => name.replace(/(?<=.)[A-Z]/g, (letter) => `_${letter}`).toLowerCase())

/**
 * Visits all series. Yields between two of them as often as it can, so that a large page is made in slices.
 */
export function* collect({ meter, endpoints, process, plan }: Sources, visitor: Visitor): Generator<void, void> {
  if (plan.go !== undefined) {
    // Names and labels of Go DMicro, whose client side has the prefix of the server, too.
    yield* codes(visitor, counter('rpc_server_reply_code_total', 'Replies sent, by status code.'), meter.served)
    yield* durations(visitor, histogram('rpc_server_reply_duration_ms', 'Milliseconds from request to reply.'), meter.served, plan.go)
    yield* codes(visitor, counter('rpc_server_call_code_total', 'Calls made that have ended, by status code.'), meter.called)
    yield* durations(visitor, histogram('rpc_server_call_duration_ms', 'Milliseconds from call to reply.'), meter.called, plan.go)
  }
  yield* side(visitor, 'server', meter.served, plan)
  yield* side(visitor, 'client', meter.called, plan)
  yield* pushes(visitor, 'received', meter.pushesIn)
  yield* pushes(visitor, 'sent', meter.pushesOut)
  sessions(visitor, meter, endpoints)
  load(visitor, meter, endpoints)
  yield
  yield* endpoints.parts(visitor)
  process?.visit(visitor)
}

function* side(visitor: Visitor, name: 'server' | 'client', all: Map<string, CallCounts>, { seconds }: BucketPlan): Generator<void, void> {
  const what = name === 'server' ? 'Calls served' : 'Calls made'
  yield* codes(visitor, counter(`dmicro_${name}_calls_total`, `${what} that have ended, by status code.`), all)
  yield* durations(visitor, histogram(`dmicro_${name}_call_duration_seconds`, `${what}: seconds until their end.`), all, seconds)
  const inFlight = gauge(`dmicro_${name}_calls_in_flight`, `${what} that have not ended.`)
  yield* values(visitor, inFlight, all, (counts) => counts.inFlight)
  const received = counter(`dmicro_${name}_received_bytes_total`, `${what}: bytes of received bodies.`)
  yield* values(visitor, received, all, (counts) => counts.received)
  yield* values(visitor, counter(`dmicro_${name}_sent_bytes_total`, `${what}: bytes of sent bodies.`), all, (counts) => counts.sent)
}

function* pushes(visitor: Visitor, way: 'received' | 'sent', all: Map<string, PushCounts>): Generator<void, void> {
  const failed = way === 'received' ? 'dropped, or their handlers failed' : 'not sent'
  yield* values(visitor, counter(`dmicro_pushes_${way}_total`, `Pushes ${way}.`), all, (counts) => counts.total)
  yield* values(visitor, counter(`dmicro_pushes_${way}_failed_total`, `Pushes that were ${failed}.`), all, (counts) => counts.failed)
  yield* values(visitor, counter(`dmicro_pushes_${way}_bytes_total`, `Bytes of bodies of pushes ${way}.`), all, (counts) => counts.bytes)
}

function* codes(visitor: Visitor, family: Family, all: Map<string, CallCounts>): Generator<void, void> {
  visitor.begin(family)
  for (const { labels, ok, codes, otherCodes } of all.values()) {
    if (ok > 0) visitor.value(labels.and('code', '0'), ok)
    for (const [code, count] of codes ?? []) visitor.value(labels.and('code', String(code)), count)
    if (otherCodes > 0) visitor.value(labels.and('code', 'other'), otherCodes)
    yield
  }
}

function* durations(visitor: Visitor, family: Family, all: Map<string, CallCounts>, buckets: Buckets): Generator<void, void> {
  visitor.begin(family)
  for (const counts of all.values()) {
    visitor.histogram(counts.labels, counts.durations, buckets)
    yield
  }
}

function* values<Counts extends { readonly labels: Labels }>(
  visitor: Visitor,
  family: Family,
  all: Map<string, Counts>,
  read: (counts: Counts) => number,
): Generator<void, void> {
  visitor.begin(family)
  for (const counts of all.values()) {
    visitor.value(counts.labels, read(counts))
    yield
  }
}

function sessions(visitor: Visitor, meter: EndpointMeter, endpoints: EndpointSet): void {
  const own = new Labels({ name: meter.service })
  const { stats } = endpoints
  visitor.begin(gauge('dmicro_sessions', 'Sessions that are not closed.'))
  visitor.value(own, endpoints.sessions)
  visitor.begin(counter('dmicro_connections_total', 'Sessions accepted and connections dialled, reconnects included.'))
  visitor.value(own.and('side', 'accepted'), stats.accepted)
  visitor.value(own.and('side', 'dialled'), stats.dialled)
  visitor.begin(counter('dmicro_sessions_closed_total', 'Sessions that were closed, by reason.'))
  meter.closed.forEach((count, reason) => {
    if (count > 0) visitor.value(own.and('reason', reasons[reason]), count)
  })
  visitor.begin(counter('dmicro_redials_total', 'Attempts to reconnect a session.'))
  visitor.value(own.and('result', 'success'), meter.redials)
  visitor.value(own.and('result', 'failure'), meter.failedRedials)
}

function load(visitor: Visitor, meter: EndpointMeter, endpoints: EndpointSet): void {
  const own = new Labels({ name: meter.service })
  const { stats, load } = endpoints
  visitor.begin(counter('dmicro_refusals_total', 'Connections and calls refused, and pushes dropped, because of a limit.'))
  visitor.value(own.and('kind', 'connection'), stats.refused)
  visitor.value(own.and('kind', 'call'), stats.refusedCalls)
  visitor.value(own.and('kind', 'push'), stats.droppedPushes)
  visitor.begin(counter('dmicro_throttled_total', 'Times that a session was not read for a while, because its peer sent too fast.'))
  visitor.value(own, stats.throttled)
  visitor.begin(counter('dmicro_violations_total', 'Sessions closed because the peer violated the protocol or a limit.'))
  visitor.value(own, stats.violations)
  visitor.begin(counter('dmicro_queued_total', 'Calls and pushes that overload protection queued.'))
  visitor.value(own, stats.queued)
  const overload = (family: Family, value: number | undefined): void => {
    visitor.begin(family)
    if (value !== undefined) visitor.value(own, value)
  }
  overload(gauge('dmicro_queue_length', 'Calls and pushes that wait for their turn.'), load?.queued)
  const wait = gauge('dmicro_queue_wait_seconds', 'Time that one more call would wait.')
  overload({ ...wait, merging: 'max' }, load === undefined ? undefined : load.wait / 1000)
  overload(gauge('dmicro_handlers_running', 'Handlers that have not settled.'), load?.running)
  overload(gauge('dmicro_handlers_limit', 'Handlers that may run at once.'), load?.concurrency)
}
