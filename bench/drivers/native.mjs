import { dmicro } from '../peers/dmicro.mjs'

export const label = 'dmicro native'
export const payloads = ['json', 'protobuf', 'msgpack', 'cbor', 'bytes']
export const protocols = ['json', 'protobuf', 'jsonrpc', 'http']
export const schemes = ['tls', 'ws', 'kcp', 'quic']
export const { serve, dial } = dmicro('native')
