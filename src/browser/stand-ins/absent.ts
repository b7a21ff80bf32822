// Stands in for what a page does without: addresses that are resolved here, transfer filters, protocols that are not
// made of WebSocket messages, options of sockets, and fast paths of JSON that pay only where a process serves many.
import { StatusError } from '../../base/errors/status.ts'
import type { Receiver } from '../../filtering/inbound.ts'
import { CloseReason } from '../../message/close-reason.ts'

/** `transports/resolve.ts`. */
export async function resolveAddress<Address>(address: Address): Promise<Address[]> {
  return [address]
}

/** `transports/first-to-connect.ts`. */
export function firstToConnect(): undefined {}

/** `protos/prepare.ts`. */
export async function prepareProtocol(): Promise<void> {}

export function connectionOf(): undefined {}

/** `protos/connection/message-connection.ts`. */

/** `protos/connection/protocol-detector.ts`. */
export function framingOf(): number {
  return 0
}

/** `session/early-messages.ts`: hooks of a page exchange no messages before the session runs. */
export async function earlySend(): Promise<never> {
  throw new StatusError(1, undefined, 'early messages are not there in pages')
}
export { earlySend as earlyCall, earlySend as earlyReceive, earlySend as earlyReply }

/** `session/takeover.ts`: a page's sessions are dialled, and only accepted ones are resumed by the peer. */
export function answerResumeCall(): boolean {
  return false
}

/** `message/is-first-word.ts`: nobody dials a page. */
export function isFirstWord(): boolean {
  return false
}

/** `message/body-size.ts`: a page counts no bytes. */
export function bodySize(): number {
  return 0
}

/** `session/request-counts.ts`. */
export function countSent<Sent>(_meter: unknown, _method: string, _bytes: number, sent: Sent): Sent {
  return sent
}

export function countUnsent<Sent>(_meter: unknown, _method: string, sent: Sent): Sent {
  return sent
}

export function beginWait(): void {}

export {
  beginWait as countRetry,
  beginWait as endWait,
  beginWait as failPushWait,
  beginWait as failWait,
  countUnsent as countNotCalled,
  countUnsent as countNotPushed,
}

/** `filters/filter-table.ts`. */
export function makeFilters(own: readonly { name: string }[]): object {
  const append = (pipe: undefined, [name]: readonly string[]): undefined => {
    if (name !== undefined) throw new TypeError(`transfer filter ${JSON.stringify(name)} is not there in pages`)
    return pipe
  }
  append(
    undefined,
    own.map(({ name }) => name),
  )
  return { append }
}

/** `filtering/pipes.ts`. */
export class FilterPipes {
  readonly busy = false
  readonly out = undefined
  #receiver: Receiver

  constructor(_connection: unknown, _settings: unknown, _protocol: unknown, receiver: Receiver) {
    this.#receiver = receiver
  }

  receive(): void {
    this.#receiver.fail(CloseReason.Filter)
  }

  moveTo(receiver: Receiver): void {
    this.#receiver = receiver
  }

  outFor(): undefined {}
  drop(): void {}
}

/** `wire/raw-envelope.ts`. */
export const rawEnvelope = undefined

/** `hooks/session-socket.ts`. */
export class ConnectionSocket {
  move(): void {}
}

/** `transports/socket-options.ts`. */
export const defaultSocket = {}

export function readSocketOptions(name: string, options: unknown): object {
  if (options !== undefined) throw new TypeError(`option ${name} is not there in pages`)
  return defaultSocket
}

export function requireSupported(): void {}

/** `base/json/read.ts`. */
export const UNREAD: unique symbol = Symbol('unread')

export function readJson(): typeof UNREAD {
  return UNREAD
}

/** `base/json/write.ts`. */
export function writeJson(): number {
  return -1
}

export function isPlain(): boolean {
  return false
}

export function writeJsonString(): number {
  return -1
}

/** `base/errors/error-text.ts`. */
export function textOf(value: unknown): string {
  try {
    return value instanceof Error ? `${value.message}` : String(value)
  } catch {
    return ''
  }
}

export function reasonOf(thrown: unknown): string {
  const cause = (thrown as Error | undefined)?.cause
  return cause instanceof Error ? `${textOf(thrown)}: ${textOf(cause)}` : textOf(thrown)
}

export function describe(thrown: unknown): string {
  return (thrown as Error | undefined)?.stack ?? textOf(thrown)
}
