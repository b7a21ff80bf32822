// Protocols, filters, codecs and plugins of one's own.
import {
  type Clock,
  type ClockTimer,
  CloseReason,
  type Codec,
  type EarlyContext,
  Endpoint,
  type EndpointSession,
  type Filter,
  FilterOverflow,
  type Hook,
  type Incoming,
  type MessageKind,
  type Outgoing,
  type Plugin,
  PluginContainer,
  type PluginEndpoint,
  type Proto,
  ProtoError,
  type ProtoLink,
  type ProtoSession,
  type ReadContext,
  type RouteInfo,
  StatusError,
  type Unpacker,
  type WriteContext,
} from 'dmicro'

export const upper: Codec = {
  id: 201,
  name: 'upper',
  encode: (value) => String(value).toUpperCase(),
  decode: (buffer, start, end) => buffer.toString('utf8', start, end),
}

const reversed: Unpacker = {
  unpack(bytes, maxSize) {
    if (bytes.length > maxSize) throw new FilterOverflow(maxSize)
    return bytes.slice().reverse()
  },
}
export const reverse: Filter = { ...reversed, id: 202, name: 'reverse', pack: (bytes) => bytes.slice().reverse(), receiver: () => reversed }

class Lines implements ProtoSession {
  readonly unfinished = false
  readonly #link: ProtoLink

  constructor(link: ProtoLink) {
    this.#link = link
  }

  pack(message: Outgoing): string {
    return `${JSON.stringify([message.type, message.seq, message.method, message.body?.toString()])}\n`
  }

  unpack(bytes: Buffer, start: number, end: number, message: Incoming): number {
    const found = bytes.subarray(start, end).indexOf(10)
    if (found < 0) return 0
    if (found > this.#link.limits.maxMessage) throw new ProtoError('too long', CloseReason.TooLarge)
    message.seq = 1
    message.setBody(bytes.subarray(start, start + found))
    return found + 1
  }
}
export const lines: Proto = { id: 200, name: 'lines', framing: 'stream', open: (link) => new Lines(link) }

export function counting(): Plugin & { readonly counts: Map<MessageKind, number> } {
  const counts = new Map<MessageKind, number>()
  const count = ({ kind }: { kind: MessageKind }): void => void counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return {
    name: 'counting',
    counts,
    afterNewEndpoint: (endpoint: PluginEndpoint) => {
      const open: EndpointSession[] = [...endpoint.sessions()]
      endpoint.log.info('counting', { open: open.length })
    },
    afterRegRouter: (route: RouteInfo) => void [route.name, route.kind],
    beforeReadHeader: (context: EarlyContext) => void context.session.id,
    afterReadCallHeader(message: ReadContext) {
      if (message.meta.token === undefined) throw new StatusError(401)
      count(message)
    },
    async beforeWriteReply(message: WriteContext) {
      message.meta.count = `${counts.get(message.kind)}`
    },
  }
}
const container = new PluginContainer([counting()])
export const found: Plugin | undefined = container.byName('counting')
export const endpoint = new Endpoint({ codecs: [upper], filters: [reverse], protocols: [lines], plugins: container.all })
const clock: Clock = endpoint.clock
const timer: ClockTimer = clock.setTimeout(() => {}, 10)
clock.clearTimeout(timer)

const noted: Hook<ReadContext> = ({ serviceMethod }) => void serviceMethod
export const noting: Plugin = { name: 'noting', afterReadCallHeader: noted }
