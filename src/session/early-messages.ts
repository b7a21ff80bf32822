import { duration, optionNames, requireOptions } from '../base/check-options.ts'
import { badMessage } from '../base/errors/status.ts'
import { encodeBody } from '../codecs/codec.ts'
import type { EarlyMessage, EarlyOptions, EarlySession } from '../hooks/session-views.ts'
import { MessageType } from '../message/message.ts'
import { encodeMeta } from '../message/meta.ts'
import { encodeStatus } from '../message/status-json.ts'
import { requireSent } from '../transports/failures.ts'
import { outgoing } from './channel.ts'
import type { SessionEngine } from './engine.ts'

// The functions behind the methods of `EarlySession`, by which hooks send and receive before the session runs.

/** Options of `EarlySession.earlyReceive`. */
export type EarlyReceiveOptions = NonNullable<Parameters<EarlySession['earlyReceive']>[0]>

const receiveNames = optionNames<EarlyReceiveOptions>({ timeout: true, type: true })
const sendNames = optionNames<EarlyOptions>({ meta: true, codec: true, filters: true, status: true })

export async function earlySend(
  engine: SessionEngine,
  type: MessageType,
  method: string,
  body: unknown,
  options?: EarlyOptions,
): Promise<void> {
  await send(engine, type, engine.calls.nextSeq(), method, body, options)
}

export async function earlyReceive(engine: SessionEngine, options: EarlyReceiveOptions = {}): Promise<EarlyMessage> {
  requireOptions('options', options, receiveNames)
  const timeout = duration('timeout', options.timeout, engine.settings.limits.frameTimeout, 1)
  return engine.requireEarly().receive(timeout, options.type)
}

export async function earlyCall(engine: SessionEngine, method: string, arg: unknown, options?: EarlyOptions): Promise<unknown> {
  const seq = engine.calls.nextSeq()
  await send(engine, MessageType.Call, seq, method, arg, options)
  const { type, seq: answered, status, body } = await earlyReceive(engine)
  if (type !== MessageType.Reply || answered !== seq) throw badMessage(`expected the reply to ${method}, got another message`)
  if (status !== undefined) throw status
  return body
}

export async function earlyReply(engine: SessionEngine, request: EarlyMessage, body: unknown, options?: EarlyOptions): Promise<void> {
  await send(engine, MessageType.Reply, request.seq, request.serviceMethod, body, options)
}

async function send(
  engine: SessionEngine,
  type: MessageType,
  seq: number,
  method: string,
  body: unknown,
  options: EarlyOptions = {},
): Promise<void> {
  requireOptions('options', options, sendNames)
  const { channel, settings } = engine.requireEarly()
  const { status: error, meta = {}, codec: name, filters: names = [] } = options
  const status = error === undefined ? '' : encodeStatus(error.code, error.message, error.cause)
  const codec = name === undefined ? settings.codec : settings.codecs.named(name)
  const filters = settings.filters.append(undefined, names, settings.limits.maxFilters)
  const message = outgoing.head(type, seq, -1, method, status, encodeMeta(meta)).content(codec.id, encodeBody(codec, body, undefined))
  requireSent(await channel.send(filters, message))
}
