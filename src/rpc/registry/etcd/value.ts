import { compareUtf8 } from '../../../base/text/compare-utf8.ts'
import type { NodeRecord } from '../record.ts'
import type { Service, ServiceNode } from '../registry.ts'

/** Longest value that is read, in bytes. etcd itself refuses more than 1.5 MiB. */
const MAX_VALUE = 256 * 1024
/** Most nodes of one value. Whoever writes as Go does puts one into each. */
const MAX_NODES = 256
/** Characters that Go escapes in JSON and JSON.stringify does not. */
const escaped = /[<>&\u2028\u2029]/g
/** The port alone, or with an address that stands for all of a host. */
const unspecified = /^(?:\[::\]|0\.0\.0\.0)?:(\d+)$/

type Metadata = Readonly<Record<string, string>>

/** The value of a node's key, byte for byte as Go writes it. */
export function encodeValue({ name, version, metadata }: Service, { id, address, paths, metadata: own }: ServiceNode): string {
  const routes = paths === undefined ? 'null' : `[${paths.map(textOf).join()}]`
  const node = `{"id":${textOf(id)},"address":${textOf(address)},"paths":${routes},"metadata":${mapOf(own)}}`
  return `{"name":${textOf(name)},"version":${textOf(version)},"metadata":${mapOf(metadata)},"nodes":[${node}]}`
}

/** The records in the value of a key, and the name of their service; undefined when anything is wrong with it. */
export function decodeValue(value: Uint8Array): { name: string; records: readonly NodeRecord[] } | undefined {
  if (value.length > MAX_VALUE) return undefined
  const service = parsed(value)
  if (!isObject(service)) return undefined
  const { name, version = '', nodes } = service
  const metadata = metadataOf(service.metadata)
  if (typeof name !== 'string' || typeof version !== 'string' || metadata === undefined) return undefined
  if (!Array.isArray(nodes) || nodes.length > MAX_NODES) return undefined
  const records: NodeRecord[] = []
  for (const each of nodes) {
    const node = nodeOf(each)
    if (node === undefined) return undefined
    records.push({ version, metadata, node })
  }
  return { name, records }
}

/** Whether `value` is a record of the node of `own`, perhaps of another version or at another address. */
export function isSameNode(value: Uint8Array, own: string): boolean {
  const [a, b] = [decodeValue(value), decodeValue(Buffer.from(own))]
  const ids = new Set(b?.records.map(({ node }) => node.id))
  return a !== undefined && a.name === b?.name && a.records.some(({ node }) => ids.has(node.id))
}

function textOf(text: string): string {
  const escapeChar = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  return JSON.stringify(text.toWellFormed()).replace(escaped, escapeChar)
}

function mapOf(metadata: Metadata): string {
  const keys = Object.keys(metadata).sort(compareUtf8)
  return keys.length === 0 ? 'null' : `{${keys.map((key) => `${textOf(key)}:${textOf(metadata[key])}`).join()}}`
}

function parsed(value: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString())
  } catch {
    return undefined
  }
}

function nodeOf(value: unknown): ServiceNode | undefined {
  if (!isObject(value)) return undefined
  const { id, address } = value
  const paths = value.paths ?? undefined
  const metadata = metadataOf(value.metadata)
  if (typeof id !== 'string' || typeof address !== 'string' || id === '' || address === '' || metadata === undefined) return undefined
  if (paths !== undefined && !(Array.isArray(paths) && paths.every((path) => typeof path === 'string'))) return undefined
  return Object.freeze({ id, address: reachable(address), paths: paths && Object.freeze(paths), metadata })
}

/**
 * Go registers servers that listen on all addresses as `[::]:port`. Nothing in etcd says which host that is, so it is
 * taken for this one, as Go's clients do.
 */
function reachable(address: string): string {
  const port = unspecified.exec(address)?.[1]
  return port === undefined ? address : `localhost:${port}`
}

/** Metadata, which JSON.parse made: `__proto__` is a key of its own. Undefined when a value is no text. */
function metadataOf(value: unknown): Metadata | undefined {
  if (value === undefined || value === null) return none
  if (!isObject(value) || Object.values(value).some((each) => typeof each !== 'string')) return undefined
  return Object.freeze(value) as Metadata
}

const none: Metadata = Object.freeze({})

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
