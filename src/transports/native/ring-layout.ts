import { MAX_META_BYTES, MAX_METHOD_BYTES, MAX_STATUS_BYTES } from '../../base/limits.ts'
import { closeReasonText } from '../../message/close-reason.ts'
import { TextHint, UNPARSED } from '../../message/message.ts'
import { Framing } from '../../wire/framing.ts'
import { MAX_PEEK, SocketOption } from '../transport.ts'
import type { WebSocketSettings } from '../websocket-settings.ts'

/**
 * Layout of the memory shared with the C++ core, in int32 words. native/io/ring_layout.h has the same;
 * `layoutDifference` compares all of it with what the addon was built with, so a stale binary is refused instead of
 * misread.
 */

export const OUTBOX_SIZE = 1024 * 1024
export const MAX_SENDS = 4096
export const REC_WORDS = 16
export const SEND_WORDS = 16

/** Words of one record. */
export const Rec = {
  Slot: 0,
  Generation: 1,
  Kind: 2,
  /** Kind Accept: the listener's token. Kind Close: the CloseReason. */
  Seq: 3,
  /** Kind Close: an errno (negative), or 0. */
  Route: 4,
  /** type | codec << 8 | TextHint << HINT_SHIFT. Kind Layer: the kind of the event. Kind Close: the layer's error. */
  Bits: 5,
  BodyStart: 6,
  BodyEnd: 7,
  /** Kinds Accept and Connect: the local address. */
  MetaStart: 8,
  MetaEnd: 9,
  StatusStart: 10,
  StatusEnd: 11,
  /** Kinds Accept and Connect: the remote address. */
  NameStart: 12,
  NameEnd: 13,
  Large: 14,
} as const

/**
 * Kinds of records. Writable: the peer has read most of the replies of a connection that needed a drain. Layer: a layer
 * below the framing (TLS, WebSocket) has news; Bits has its kind, the body its payload.
 */
export const Kind = { Message: 0, Accept: 1, Connect: 2, Close: 3, Writable: 4, Layer: 5 } as const

/** Bits of the argument `webSocket` of `setFraming` (native/io/web_socket.h). */
const WebSocketBit = { Server: 1, Client: 2, Text: 4 } as const

/** The argument `webSocket` of `setFraming`; 0 for none. */
export function webSocketBits(webSocket: WebSocketSettings | undefined): number {
  if (webSocket === undefined) return 0
  return (webSocket.client ? WebSocketBit.Client : WebSocketBit.Server) | (webSocket.text ? WebSocketBit.Text : 0)
}

export const HINT_SHIFT = 16
/** Bit of `Snd.Bits` with type `UNPARSED`: the bytes are a reply to the peer. */
export const ANSWER_BIT = 1 << 8
/** Bit of `Snd.Bits` with other types: the body is a text in quotes, which the core escapes as JSON does. */
export const QUOTE_BIT = 1 << 16
/** Most bytes of such a text. */
export const MAX_UNESCAPED = 680

/** Most connections of one core. */
const MAX_SLOTS = 1 << 20
/** Most bytes of a body that is sent outside of the outbox. */
export const MAX_BODY = 2 ** 31 - 1

/** Words of one message to send. */
export const Snd = {
  Slot: 0,
  Generation: 1,
  Bits: 2,
  Seq: 3,
  Route: 4,
  BodyStart: 5,
  BodySize: 6,
  MetaStart: 7,
  MetaSize: 8,
  StatusStart: 9,
  StatusSize: 10,
  NameStart: 11,
  NameSize: 12,
} as const

/**
 * Words of the control block. Sends and outbox are filled from their base on, which moves when a core has several parts
 * of them.
 */
export const Ctl = { SendBase: 0, SendNext: 1, OutboxBase: 2, OutboxNext: 3, First: 4, Count: 5, Generation: 6 } as const

const CTL_WORDS = Object.keys(Ctl).length

/** Arguments of the addon's functions (native/node/addon.cc), in order. */
const ARGUMENTS = {
  start: 'ownThread, external, onBatch',
  listen: 'core, host, port, path, backlog, reusePort, token, adopters, descriptor, ...limits',
  adopt: 'core, descriptor, pipe, token, ...limits',
  dial: 'core, host, port, path, ...limits',
  listenKcp: 'core, host, port, reusePort, token, settings, ...limits',
  dialKcp: 'core, host, port, settings, ...limits',
  closeListener: 'core, id, keepPath',
  listenerDescriptor: 'core, id',
  listenerAddress: 'core, id',
  end: 'core, slot, generation',
  destroy: 'core, slot, generation, reason',
  pauseReading: 'core, slot, generation',
  resumeReading: 'core, slot, generation',
  setFraming: 'core, slot, generation, framing, skip, webSocket',
  setSocketOption: 'core, slot, generation, option, value',
  descriptor: 'core, slot, generation',
  socketOptions: 'descriptor',
  drain: 'core',
  drainWith: 'core, body',
  takeLarge: 'core, index',
  intern: 'core, id, name',
  busyPoll: 'core, microseconds',
  keepAlive: 'core, on',
  tlsSupport: '',
  tlsContext: 'external, server, requestCert, rejectUnauthorized, asks, protocols, ticketKeys',
  tlsIdentity: 'external',
  tlsBegin: 'core, slot, generation, context, servername, key',
  tlsAnswer: 'core, slot, generation, refuse, identity, protocol',
  tlsErrorText: 'code',
  lockFile: 'descriptor',
  notifySocket: 'path, text',
  peerCredentials: 'descriptor',
  closeOnExec: 'descriptor, on',
  duplicateTo: 'from, to',
  listeningAddress: 'descriptor',
  reap: 'pid',
  listenDescriptor: 'descriptor, backlog',
  kcpRun: 'settings, conv, script',
  unpack: 'bytes, maxMessage, maxFilters',
  pack: 'seq, type, method, status, meta, codec, body',
}
const LIMITS =
  'maxMessage, maxFilters, maxUnsent, frameTimeout, writeTimeout, framing, noDelay, keepAliveSeconds, receiveBuffer, sendBuffer, paused'

/** The layout that an addon reports (native/node/layout.cc): numbers and texts by name. */
export type Layout = Readonly<Record<string, number | string>>

/** Everything that both sides must agree on. */
function ours(): Layout {
  const layout: Record<string, number | string> = {
    INT32_BYTES: Int32Array.BYTES_PER_ELEMENT,
    OUTBOX_SIZE,
    MAX_SENDS,
    MAX_SLOTS,
    MAX_BODY,
    REC_WORDS,
    SEND_WORDS,
    CTL_WORDS,
    HINT_SHIFT,
    UNPARSED,
    ANSWER_BIT,
    QUOTE_BIT,
    MAX_UNESCAPED,
    MAX_PEEK,
    MAX_METHOD_BYTES,
    MAX_STATUS_BYTES,
    MAX_META_BYTES,
    limits: LIMITS,
  }
  const tables = { Rec, Snd, Ctl, Kind, Framing, WebSocketBit, SocketOption, TextHint, CloseReason: closeReasonText }
  for (const [table, entries] of Object.entries(tables)) {
    for (const [name, value] of Object.entries(entries)) layout[`${table}.${name}`] = value
  }
  for (const [name, list] of Object.entries(ARGUMENTS)) layout[`${name}()`] = list
  return layout
}

/** The first difference between an addon's layout and ours, in words; '' when there is none. */
export function layoutDifference(layout: Layout | undefined): string {
  if (typeof layout !== 'object') return 'it reports no layout'
  const expected = ours()
  for (const name of new Set([...Object.keys(expected), ...Object.keys(layout)])) {
    if (layout[name] !== expected[name]) return `its ${name} is ${layout[name] ?? 'missing'} in place of ${expected[name] ?? 'nothing'}`
  }
  return ''
}
