import { type FieldReader, MessageWriter, readMessage } from './wire.ts'

// The messages of etcd's API of version 3, as far as a registry needs them; the numbers are those of its rpc.proto.

/** A method of etcd, with how its messages are written and read. */
export interface Method<Request, Response> {
  readonly path: string
  encode(request: Request): Uint8Array
  /** @throws EtcdError when `bytes` are no such message */
  decode(bytes: Uint8Array): Response
}

/** Beginning of each answer of etcd. */
export interface Header {
  readonly clusterId: bigint
  /** Revision of the store when it answered. */
  readonly revision: number
}

export interface KeyValue {
  /** One character for each byte, because keys need not be text, and different ones must stay different. */
  readonly key: string
  /** Revision of its last change. */
  readonly modRevision: number
  readonly value: Uint8Array
  /** Id of the lease that it is attached to, 0 for none. */
  readonly lease: bigint
}

interface RangeRequest {
  readonly key: Uint8Array
  /** Reads the keys from `key` up to this one, which is excluded. Absent: only `key`. */
  readonly end?: Uint8Array
  /** Most keys to return, 0 for all. */
  readonly limit?: number
  /** Reads what was there at this revision, 0 for now. */
  readonly revision?: number
  /** The server answers for itself, though others may know better. */
  readonly serializable?: boolean
  readonly keysOnly?: boolean
}

export interface RangeResponse {
  readonly header: Header
  readonly pairs: readonly KeyValue[]
  /** There are more keys than the limit. */
  readonly more: boolean
}

interface PutRequest {
  readonly key: Uint8Array
  readonly value: Uint8Array
  readonly lease: bigint
}

export interface Lease {
  readonly id: bigint
  /** Time to live in seconds. In a request what is wished for, in a response 0 when there is no such lease. */
  readonly ttl: number
}

interface WatchRequest {
  readonly key: Uint8Array
  readonly end: Uint8Array
  /** The first revision whose changes are reported. */
  readonly startRevision: number
}

export interface WatchEvent {
  readonly deleted: boolean
  readonly pair: KeyValue
}

export interface WatchResponse {
  readonly header: Header
  readonly created: boolean
  readonly canceled: boolean
  /** Above 0 when changes from `startRevision` on are no longer there. */
  readonly compactRevision: number
  readonly cancelReason: string
  /** The rest of this answer follows in another message. */
  readonly fragment: boolean
  readonly events: readonly WatchEvent[]
}

export const range: Method<RangeRequest, RangeResponse> = {
  path: '/etcdserverpb.KV/Range',
  encode: ({ key, end, limit = 0, revision = 0, serializable = false, keysOnly = false }) =>
    new MessageWriter()
      .bytes(1, key)
      .bytes(2, end ?? new Uint8Array())
      .number(3, limit)
      .number(4, revision)
      .flag(7, serializable)
      .flag(8, keysOnly)
      .finish(),
  decode(bytes) {
    let header = noHeader
    let more = false
    const pairs: KeyValue[] = []
    readMessage(bytes, (field, values) => {
      if (field === 1) header = readHeader(values)
      else if (field === 2) pairs.push(readPair(values.bytes()))
      else if (field === 3) more = values.flag()
      else return false
      return true
    })
    return { header, pairs, more }
  },
}

export const put: Method<PutRequest, void> = {
  path: '/etcdserverpb.KV/Put',
  encode: ({ key, value, lease }) => new MessageWriter().bytes(1, key).bytes(2, value).int64(3, lease).finish(),
  decode: (bytes) => readMessage(bytes, skipAll),
}

/** Deletes a key, whatever it is attached to. */
export const remove: Method<Uint8Array, void> = {
  path: '/etcdserverpb.KV/DeleteRange',
  encode: (key) => new MessageWriter().bytes(1, key).finish(),
  decode: (bytes) => readMessage(bytes, skipAll),
}

export const leaseGrant: Method<Lease, Lease> = {
  path: '/etcdserverpb.Lease/LeaseGrant',
  encode: ({ id, ttl }) => new MessageWriter().number(1, ttl).int64(2, id).finish(),
  decode: readLease,
}

export const leaseRevoke: Method<bigint, void> = {
  path: '/etcdserverpb.Lease/LeaseRevoke',
  encode: (id) => new MessageWriter().int64(1, id).finish(),
  decode: (bytes) => readMessage(bytes, skipAll),
}

/** A stream both ways in etcd, of which one message each way is used. */
export const leaseKeepAlive: Method<bigint, Lease> = {
  path: '/etcdserverpb.Lease/LeaseKeepAlive',
  encode: (id) => new MessageWriter().int64(1, id).finish(),
  decode: readLease,
}

export const authenticate: Method<{ name: string; password: string }, string> = {
  path: '/etcdserverpb.Auth/Authenticate',
  encode: ({ name, password }) => new MessageWriter().text(1, name).text(2, password).finish(),
  decode(bytes) {
    let token = ''
    readMessage(bytes, (field, values) => {
      if (field !== 2) return false
      token = values.text()
      return true
    })
    return token
  },
}

export const watch: Method<WatchRequest, WatchResponse> = {
  path: '/etcdserverpb.Watch/Watch',
  encode({ key, end, startRevision }) {
    const create = new MessageWriter().bytes(1, key).bytes(2, end).number(3, startRevision).flag(8, true).finish()
    return new MessageWriter().message(1, create).finish()
  },
  decode(bytes) {
    const response = { header: noHeader, created: false, canceled: false, compactRevision: 0, cancelReason: '', fragment: false }
    const events: WatchEvent[] = []
    readMessage(bytes, (field, values) => {
      if (field === 1) response.header = readHeader(values)
      else if (field === 3) response.created = values.flag()
      else if (field === 4) response.canceled = values.flag()
      else if (field === 5) response.compactRevision = values.number()
      else if (field === 6) response.cancelReason = values.text()
      else if (field === 7) response.fragment = values.flag()
      else if (field === 11) events.push(readEvent(values.bytes()))
      else return false
      return true
    })
    return { ...response, events }
  },
}

const noHeader: Header = { clusterId: 0n, revision: 0 }

function skipAll(): boolean {
  return false
}

function readHeader(values: FieldReader): Header {
  let { clusterId, revision } = noHeader
  readMessage(values.bytes(), (field, fields) => {
    if (field === 1) clusterId = fields.int64()
    else if (field === 3) revision = fields.number()
    else return false
    return true
  })
  return { clusterId, revision }
}

function readPair(bytes: Uint8Array): KeyValue {
  const pair: { -readonly [Name in keyof KeyValue]: KeyValue[Name] } = { key: '', modRevision: 0, value: new Uint8Array(), lease: 0n }
  readMessage(bytes, (field, values) => {
    if (field === 1) pair.key = values.latin1()
    else if (field === 3) pair.modRevision = values.number()
    else if (field === 5) pair.value = values.bytes()
    else if (field === 6) pair.lease = values.int64()
    else return false
    return true
  })
  return pair
}

function readEvent(bytes: Uint8Array): WatchEvent {
  let deleted = false
  let pair: KeyValue | undefined
  readMessage(bytes, (field, values) => {
    if (field === 1) deleted = values.flag()
    else if (field === 2) pair = readPair(values.bytes())
    else return false
    return true
  })
  return { deleted, pair: pair ?? readPair(new Uint8Array()) }
}

function readLease(bytes: Uint8Array): Lease {
  let id = 0n
  let ttl = 0
  readMessage(bytes, (field, values) => {
    if (field === 2) id = values.int64()
    else if (field === 3) ttl = Math.max(0, Number(values.int64()))
    else return false
    return true
  })
  return { id, ttl }
}
