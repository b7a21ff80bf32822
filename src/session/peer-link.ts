import type { Receiver } from '../filtering/inbound.ts'
import type { FilterSettings } from '../filtering/pipes.ts'
import { ANNOUNCEMENT_KEY } from '../message/announcement.ts'
import { isFirstWord } from '../message/is-first-word.ts'
import type { Incoming } from '../message/message.ts'
import type { Connection, ConnectionHandler } from '../transports/transport.ts'
import { Channel } from './channel.ts'
import type { EarlyPhase } from './early-phase.ts'
import type { PeerExtensions, PeerExtensionsOwner } from './peer-extensions.ts'

/** Handles the events of a link: the session's `Inbound`. */
export type LinkHandler = ConnectionHandler & Receiver & PeerExtensionsOwner

/**
 * One connection of a session, with everything known about the peer on it. A session that reconnects or is resumed gets
 * another link; a session that is resumed on the connection of another one takes over that link. Links are compared by
 * identity, to see whether a connection is still the same.
 */
export class PeerLink extends Channel {
  /**
   * dmicro's extensions on this connection. Undefined where they are switched off, and with protocols without meta or
   * pushes.
   */
  readonly extensions: PeerExtensions | undefined
  /** The early phase, while the hooks about the new connection run. */
  early: EarlyPhase | undefined = undefined
  /** Whether the next request must announce this side. */
  announcing: boolean
  /** Whether the peer has answered a call. Then the loss of the connection does not count as a failed attempt. */
  answered = false
  /** Whether the peer has sent a first word: it is a dmicro peer that was silent. */
  hasFirstWord = false
  /** Called once, at the first word; undefined for nothing. */
  onFirstWord: (() => void) | undefined = undefined
  /** Time when the connection began, by the endpoint's clock. */
  readonly since: number

  constructor(
    connection: Connection,
    settings: FilterSettings,
    protocol: string,
    handler: LinkHandler,
    extensions: PeerExtensions | undefined,
    since: number,
  ) {
    super(connection, settings, protocol, handler)
    this.extensions = extensions
    this.announcing = extensions !== undefined
    this.since = since
  }

  /**
   * Returns number and meta of the first message on the connection, which announces this side.
   *
   * @returns undefined when the peer's announcement was answered, which announces this side too
   */
  announce(): { readonly seq: number; readonly meta: Readonly<Record<string, string>> } | undefined {
    this.announcing = false
    const extensions = this.extensions as PeerExtensions
    if (extensions.announced) return undefined
    const seq = extensions.nextAnnouncementSeq()
    return { seq, meta: { [ANNOUNCEMENT_KEY]: extensions.announcement } }
  }

  /**
   * Notes the peer's first word, which only a dmicro peer sends.
   *
   * @returns whether `message` is one, and so needs nothing more
   */
  takeFirstWord(message: Incoming): boolean {
    if (!isFirstWord(message)) return false
    this.hasFirstWord = true
    const run = this.onFirstWord
    this.onFirstWord = undefined
    run?.()
    return true
  }

  /** Moves the link to another session. */
  moveTo(handler: LinkHandler): void {
    this.filters.moveTo(handler)
    this.extensions?.moveTo(handler)
    this.connection.handler = handler
  }

  /** Ignores everything that the connection still receives. */
  silence(): void {
    this.connection.handler = { onMessage: () => {}, onClose: () => {} }
  }
}
