/**
 * The type of a body, for codecs that need one: for protobuf a message class of protobufjs, static (pbjs) or reflected
 * (`root.lookupType('pkg.Name')`). Codecs without types, such as json and plain, ignore it.
 */
export interface MessageType<Message = unknown> {
  encode(message: never, writer?: never): { finish(): Uint8Array }
  decode(bytes: Uint8Array): Message
  /** Makes a message out of a plain object. */
  fromObject?(object: never): Message
}

/** The types of one route's bodies. */
export interface RouteTypes<Arg = unknown> {
  /** Of what the handler gets. */
  arg?: MessageType<Arg>
  /** Of what it returns. */
  result?: MessageType
}

/** @throws TypeError that begins with `what` when `value` is neither a type nor undefined */
export function checkMessageType(value: unknown, what: string): void {
  if (value !== undefined && !isMessageType(value)) throw new TypeError(`${what} must have the methods encode and decode`)
}

export function isMessageType(value: unknown): value is MessageType {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  const { encode, decode } = value as Partial<MessageType>
  return typeof encode === 'function' && typeof decode === 'function'
}
