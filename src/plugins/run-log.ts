import { flag, optionNames, requireOptions } from '../base/check-options.ts'
import { describe } from '../base/errors/error-text.ts'
import type { StatusError } from '../base/errors/status.ts'
import { checkLogger, consoleLogger, guarded, type Logger } from '../base/log.ts'
import { HIDDEN, secretKey } from '../base/text/secrets.ts'
import { type Clock, realClock } from '../base/time/clock.ts'
import type { ReadContext, WriteContext } from '../hooks/hooks.ts'
import type { Plugin } from '../hooks/plugin.ts'
import type { Meta } from '../message/meta.ts'
import { accessLog } from './run-log/access-log.ts'

/** Options of `runLog`. */
export interface RunLogOptions {
  /**
   * Milliseconds from which a line is marked `(slow)`; a faster one is marked `(fast)`. Default: none, which marks no
   * line.
   */
  slow?: number | undefined
  /** Whether to log bodies and meta too, after `redact`. Default: false. */
  detail?: boolean | undefined
  /**
   * Returns what to log of a value: the value, a part of it, or undefined for nothing. For meta `key` is its key, for a
   * body ''. Default: replaces what looks like a secret by its key, in meta and in JSON, with `***`.
   */
  redact?: ((key: string, value: string, message: { readonly serviceMethod: string }) => string | undefined) | undefined
  /** Maximum number of characters of each body and each meta value. Default: 256. */
  maxDetail?: number | undefined
  /** Logger, which gets the lines at level debug, those of `access` at level info. Default: the endpoint's log. */
  log?: Logger | undefined
  /**
   * Whether to log one line for each request that was served, with fields and without bodies and meta, in place of the
   * lines of messages: `session`, `remote`, `kind`, `method`, `code`, `ms`, `size`, and the ids of its trace. It has no
   * hooks, so it costs little. Default: false.
   */
  access?: boolean | undefined
  /**
   * With `access`: share of the requests with code 0 that are logged, 0 to 1. Those that fail, or take `slow`
   * milliseconds, are always logged. Default: 1.
   */
  sample?: number | undefined
}

type Received = ReadContext
type Sent = WriteContext

/**
 * Matches such a key and its value in text that is no JSON, such as a form. Repetitions are bounded, so that no text
 * takes long.
 */
const secretText =
  /((?:pass|secret|token|auth|api[-_]?key|private[-_]?key|credential|cookie|session[-_]?id)[\w-]{0,64}["'\s]{0,8}[=:>]\s{0,8})[^&;,<\s]+/gi

const known = optionNames<RunLogOptions>({ slow: true, detail: true, redact: true, maxDetail: true, log: true, access: true, sample: true })

/**
 * Logs a line for each message that is finished (docs/spec/behaviour.md#run-log), at level debug: `PUSH->`, `PUSH<-`,
 * `CALL->`, `CALL<-`, with the peer, the cost, the service method, and the body size and status of what was sent and
 * received. Bodies and meta are logged only with `detail`, after `redact` (docs/spec/go-defects.md P11).
 *
 * The cost of a CALL is the time from before it is written, or from when its header was read, until its REPLY was
 * received or sent; that of a PUSH until it is written or decoded. A call without a reply, or with one that does not
 * decode, has no line.
 *
 * @throws TypeError or RangeError for bad options
 */
export function runLog(options: RunLogOptions = {}): Plugin {
  requireOptions('options', options, known)
  const { slow, detail = false, redact = withoutSecrets, maxDetail = 256 } = options
  if (slow !== undefined && !(typeof slow === 'number' && slow >= 0)) throw new RangeError('option slow must be milliseconds')
  if (!(typeof maxDetail === 'number' && maxDetail >= 0)) throw new RangeError('option maxDetail must be a number of characters')
  flag('detail', detail, false)
  const { sample } = options
  if (sample !== undefined && !(typeof sample === 'number' && sample >= 0 && sample <= 1))
    throw new RangeError(`option sample must be a number from 0 to 1, got ${String(sample)}`)
  if (typeof redact !== 'function') throw new TypeError('option redact must be a function')
  let log = options.log === undefined ? undefined : guarded(checkLogger('log', options.log))
  if (flag('access', options.access, false)) return accessLog(log, sample ?? 1, slow ?? Number.POSITIVE_INFINITY)
  let clock: Clock | undefined
  const now = (): number => (clock ?? realClock).now()
  // A WeakMap, because a message may never finish.
  const begun = new WeakMap<object, number>()
  const begin = (message: object): void => void begun.set(message, now())
  const write = (kind: string, first: Received | Sent, meta: Meta, ...parts: string[]): void => {
    const cost = now() - (begun.get(first) ?? now())
    begun.delete(first)
    const speed = slow === undefined ? '(-)' : cost >= slow ? '(slow)' : '(fast)'
    const { remoteAddress } = first.session
    const claimed = meta['X-Real-IP'] || '-'
    const peer = `${remoteAddress}(real:${claimed === remoteAddress ? 'same' : cut(claimed, 64)})`
    log ??= consoleLogger('debug')
    log.debug(`${kind} ${peer} ${cost.toFixed(3)}ms${speed} ${JSON.stringify(first.serviceMethod)} ${parts.join(' ')}`)
  }
  const shown = (key: string, value: string, of: Received | Sent): string | undefined => {
    let text: string | undefined
    try {
      text = redact(key, value, of)
    } catch (error) {
      log?.error('redact threw', { error: describe(error) })
    }
    return text === undefined ? undefined : cut(String(text), maxDetail)
  }
  const part = (
    name: string,
    of: Received | Sent,
    size: number | undefined,
    status: StatusError | undefined,
    body: () => string,
  ): string => {
    const fields: Record<string, unknown> = {}
    if (size !== undefined) fields.size = size
    if (status !== undefined)
      fields.status = { code: status.code, msg: cut(status.message, maxDetail), cause: cut(status.cause, maxDetail) }
    if (detail) {
      const meta = Object.keys(of.meta).map((key) => [cut(key, 64), shown(key, of.meta[key], of)])
      if (meta.length > 0) fields.meta = Object.fromEntries(meta)
      fields.body = shown('', body(), of) || undefined
    }
    return `${name}(${JSON.stringify(fields)})`
  }
  const received = (message: Received): string => part('RECV', message, message.size, message.status, () => bodyText(message.body))
  const sent = (message: Sent): string =>
    part('SEND', message, message.body instanceof Uint8Array ? message.body.length : undefined, message.status, () =>
      bodyText(message.body),
    )
  const replied = (message: Received): void => {
    if (message.request !== undefined) write('CALL->', message.request, message.meta, sent(message.request), received(message))
  }
  return {
    name: 'run-log',
    afterNewEndpoint(endpoint) {
      log ??= endpoint.log
      clock ??= endpoint.clock
    },
    beforeWritePush: begin,
    afterWritePush: (message) => write('PUSH->', message, message.meta, sent(message)),
    afterReadPushHeader: begin,
    afterReadPushBody: (message) => write('PUSH<-', message, message.meta, received(message)),
    beforeWriteCall: begin,
    beforeReadReplyBody(message) {
      if (message.status !== undefined) replied(message) // no body follows a failure
    },
    afterReadReplyBody: replied,
    afterReadCallHeader: begin,
    afterWriteReply(message) {
      if (message.request !== undefined) write('CALL<-', message.request, message.request.meta, received(message.request), sent(message))
    },
  }
}

/** Replaces what looks like a secret by its key. A body that is itself a secret needs a `redact` of the user's own. */
function withoutSecrets(key: string, value: string): string {
  if (key !== '') return secretKey.test(key) ? HIDDEN : value
  try {
    const parsed: unknown = JSON.parse(value)
    if (typeof parsed === 'object' && parsed !== null)
      return JSON.stringify(parsed, (name, member) => (secretKey.test(name) ? HIDDEN : member))
  } catch {
    // The text is no JSON, or nests too deep.
  }
  return value.replace(secretText, `$1${HIDDEN}`)
}

/** Text of a body. Bytes are not shown, because they may be a secret. */
function bodyText(body: unknown): string {
  if (body === undefined) return ''
  if (body instanceof Uint8Array) return `<${body.length} bytes>`
  try {
    return typeof body === 'string' ? body : (JSON.stringify(body) ?? '')
  } catch {
    return '?'
  }
}

function cut(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max)}...` : text
}
