import type { Receiver } from '../filtering/inbound.ts'
import type { FilterSettings } from '../filtering/pipes.ts'
import { ANNOUNCEMENT_KEY } from '../message/announcement.ts'
import type { Connection, ConnectionHandler } from '../transports/transport.ts'
import { Channel } from './channel.ts'
import type { EarlyPhase } from './early-phase.ts'
import type { PeerExtensions, PeerExtensionsOwner } from './peer-extensions.ts'

/** What a link tells its session. */
export type LinkHandler = ConnectionHandler & Receiver & PeerExtensionsOwner

/**
 * One connection of a session, with all that is known of the peer at its other end. A session that reconnects, or is resumed, gets another one in
 * its place; a session that is resumed on the connection of another takes over the link as it is. The object itself tells one connection from the next.
 */
export class PeerLink extends Channel {
  /** What goes beyond Go's protocol; undefined where it is switched off, and with protocols without meta or pushes. */
  readonly extensions: PeerExtensions | undefined
  /** While the hooks about the new connection run. */
  early: EarlyPhase | undefined = undefined
  /** A message that announces this side is still to be sent. */
  announcing: boolean
  /** The peer answered a call: the connection did what it is for, and its loss is no failure. */
  answered = false
  /** When it began, by the clock of its endpoint. */
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

  /** The number and meta of the first message on it, which announces this side; undefined when the peer announced itself, and was answered. */
  announce(): { readonly seq: number; readonly meta: Readonly<Record<string, string>> } | undefined {
    this.announcing = false
    const extensions = this.extensions as PeerExtensions
    if (extensions.announced) return undefined
    const seq = extensions.nextAnnouncementSeq()
    return { seq, meta: { [ANNOUNCEMENT_KEY]: extensions.announcement } }
  }

  /** Another session goes on with it. */
  moveTo(handler: LinkHandler): void {
    this.filters.moveTo(handler)
    this.extensions?.moveTo(handler)
    this.connection.handler = handler
  }

  /** Nothing of it is heard any more. */
  silence(): void {
    this.connection.handler = { onMessage: () => {}, onClose: () => {} }
  }
}
