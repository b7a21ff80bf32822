import { isThenable } from '../../base/async/thenable.ts'
import { reasonOf } from '../../base/errors/error-text.ts'
import { StatusError } from '../../base/errors/status.ts'
import { CloseReason } from '../../message/close-reason.ts'
import type { Incoming } from '../../message/message.ts'
import type { ConnectionHandler, TransportConnection } from '../../transports/transport.ts'
import { Framing } from '../../wire/framing.ts'
import type { Protocol } from '../proto-table.ts'
import {
  checkUpgrade,
  chooseProtocol,
  offersDeflate,
  type Refusal,
  refusalText,
  settingsOf,
  switchingProtocols,
  type Upgrade,
} from './handshake.ts'
import { HeadReader, HeadStep } from './head.ts'
import type { MessageProto } from './message-proto.ts'
import type { WebSocketListen } from './options.ts'
import { framingOfMessages, overWebSocket } from './protocols.ts'
import type { UpgradeRequest } from './upgrade-request.ts'

/** A WebSocket that is agreed upon. */
export interface Agreed {
  readonly protocol: Protocol | MessageProto
  readonly request: UpgradeRequest
  /** Id that the session shall have; undefined for its usual one. */
  readonly id: string | undefined
}

/** The listening side of a request for a WebSocket. */
export interface UpgradeOwner {
  /** Waits for the promise of a user's function, for a limited time. */
  within(promise: PromiseLike<unknown>): Promise<unknown>
  /** Must give the connection another handler before it returns. */
  onAgreed(agreed: Agreed): void
  /** Called for a request that was refused. */
  onRefused(cause: string): void
  /** Called when the connection closed before anything was agreed upon. */
  onClosed(reason: number): void
}

/** Answers a request with a refusal. */
export function refuseUpgrade(connection: TransportConnection, refusal: Refusal): void {
  connection.sendBytes(refusalText(refusal), false, true)
  connection.end()
}

/**
 * An accepted connection, with framing Peek, that asks for a WebSocket. The transport times it: the request must arrive
 * within `limits.frameTimeout`.
 */
export class UpgradeAcceptor implements ConnectionHandler {
  readonly #connection: TransportConnection
  readonly #listen: WebSocketListen
  readonly #protocols: readonly Protocol[]
  readonly #owner: UpgradeOwner
  readonly #head = new HeadReader(false)
  #over = false
  #closed = false

  constructor(connection: TransportConnection, listen: WebSocketListen, protocols: readonly Protocol[], owner: UpgradeOwner) {
    this.#connection = connection
    this.#listen = listen
    this.#protocols = protocols
    this.#owner = owner
    connection.handler = this
  }

  onMessage({ buffer, bodyStart, bodyEnd }: Incoming): void {
    if (this.#over) return
    const head = this.#head
    const step = head.add(buffer, bodyStart, bodyEnd)
    if (step === HeadStep.More) {
      this.#connection.setFraming(Framing.Peek, head.used)
      return
    }
    this.#over = true
    if (step === HeadStep.TooLarge) this.#refuse({ status: 431, cause: 'a head over 16 KiB' })
    else if (step === HeadStep.Malformed) this.#refuse({ status: 400, cause: 'no HTTP/1.1 request' })
    else this.upgrade(checkUpgrade(head, this.#listen, this.#connection.remoteAddress))
  }

  /** Answers a request whose head was read. */
  upgrade(upgrade: Upgrade | Refusal): void {
    this.#over = true
    if ('status' in upgrade) {
      this.#refuse(upgrade)
      return
    }
    const { authorize } = this.#listen
    if (authorize === undefined) {
      this.#agree(upgrade, undefined)
      return
    }
    try {
      const result = authorize(upgrade.request)
      if (!isThenable(result)) {
        this.#decide(upgrade, result)
        return
      }
      this.#owner.within(result).then(
        (id) => this.#decide(upgrade, id),
        (error) => this.#forbid(error),
      )
    } catch (error) {
      this.#forbid(error)
    }
  }

  /** Refuses because `authorize` did. What it threw is sent only if it is a StatusError. */
  #forbid(error: unknown): void {
    const status = error instanceof StatusError ? error : undefined
    const code = status !== undefined && status.code >= 400 && status.code < 600 ? status.code : 403
    const lines = code === 401 ? 'WWW-Authenticate: Bearer\r\n' : ''
    this.#refuse({ status: code, cause: status?.message ?? '', lines }, reasonOf(error))
  }

  /** Takes what `authorize` returned. False is no consent, nor is what only looks like one. */
  #decide(upgrade: Upgrade, id: unknown): void {
    if (id === undefined || typeof id === 'string') this.#agree(upgrade, id)
    else this.#forbid(new TypeError(`authorize must return a text or undefined, or throw; it returned ${id === null ? 'null' : typeof id}`))
  }

  #agree(upgrade: Upgrade, id: string | undefined): void {
    if (this.#closed) return
    const { request, key, secWebSocketExtensions } = upgrade
    const names = this.#protocols.map(({ name }) => name)
    const chosen = chooseProtocol(names, request.subprotocols)
    if (chosen === undefined) {
      this.#refuse({ status: 400, cause: `sub-protocols here: ${names.map((name) => `dmicro.${name}`).join(', ')}` })
      return
    }
    const compression = this.#listen.perMessageDeflate && offersDeflate(secWebSocketExtensions)
    const protocol = overWebSocket(this.#protocols[chosen.index])
    const connection = this.#connection
    this.#head.free()
    connection.sendBytes(switchingProtocols(key, chosen.answer, compression), false, true)
    connection.setFraming(framingOfMessages(protocol), this.#head.used, settingsOf(this.#listen, false, compression))
    this.#owner.onAgreed({ protocol, request, id: id === '' ? undefined : id })
  }

  #refuse(refusal: Refusal, cause = refusal.cause): void {
    if (this.#closed) return
    this.#head.free()
    this.#owner.onRefused(`${refusal.status} ${cause}`)
    refuseUpgrade(this.#connection, refusal)
  }

  onClose(reason: number): void {
    this.#closed = true
    if (!this.#over) this.#head.free()
    this.#owner.onClosed(this.#over ? CloseReason.Local : reason)
  }
}
