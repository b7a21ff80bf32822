import { requireObject } from '../../base/check-options.ts'
import type { Service, ServiceNode } from './registry.ts'

/** One node with what a registry keeps beside it: the form in which records are stored. */
export interface NodeRecord {
  readonly version: string
  /** Metadata of the service, not of the node. */
  readonly metadata: Readonly<Record<string, string>>
  readonly node: ServiceNode
}

/**
 * A frozen copy of `service`, checked. A node without an id gets Go's, `<service>-<address>`.
 * @throws TypeError that says what is wrong
 */
export function copyService(service: Service): Service {
  requireObject('service', service)
  const { name, version, metadata, nodes } = service
  requireName(name)
  requireString('service.version', version)
  if (!Array.isArray(nodes)) throw new TypeError('service.nodes must be a list')
  return Object.freeze({
    name,
    version,
    metadata: copyMetadata('service.metadata', metadata),
    nodes: Object.freeze(nodes.map((node: ServiceNode) => copyNode(name, node))),
  })
}

/**
 * Checks the name of a service.
 * @throws TypeError
 */
export function requireName(name: unknown): asserts name is string {
  if (typeof name !== 'string' || name === '') throw new TypeError('the name of a service must be a string that is not empty')
}

/** Go's id of the instance of `service` at `address`. */
export function nodeId(service: string, address: string): string {
  return `${service}-${address}`
}

/**
 * Services out of records, one for each version: versions by text, nodes by id, so that equal records make equal
 * services whatever order they came in. The last record of a version decides the metadata of the service.
 */
export function servicesOf(name: string, records: Iterable<NodeRecord>): readonly Service[] {
  const versions = new Map<string, { metadata: Readonly<Record<string, string>>; nodes: ServiceNode[] }>()
  for (const { version, metadata, node } of records) {
    const known = versions.get(version)
    if (known === undefined) versions.set(version, { metadata, nodes: [node] })
    else {
      known.metadata = metadata
      known.nodes.push(node)
    }
  }
  const services = [...versions].map(([version, { metadata, nodes }]): Service => {
    nodes.sort((a, b) => compare(a.id, b.id))
    return Object.freeze({ name, version, metadata, nodes: Object.freeze(nodes) })
  })
  return Object.freeze(services.sort((a, b) => compare(a.version, b.version)))
}

/** Whether both say the same. The order of services and of their nodes counts, that of metadata does not. */
export function sameServices(a: readonly Service[], b: readonly Service[]): boolean {
  return a === b || (a.length === b.length && a.every((service, index) => sameService(service, b[index])))
}

/** Whether both records say the same. */
export function sameRecord(a: NodeRecord, b: NodeRecord): boolean {
  return a.version === b.version && sameMetadata(a.metadata, b.metadata) && sameNode(a.node, b.node)
}

/** Number of nodes of all versions. */
export function countNodes(services: readonly Service[]): number {
  return services.reduce((count, { nodes }) => count + nodes.length, 0)
}

/** By UTF-16 units, which depends on no locale. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function copyNode(service: string, node: ServiceNode): ServiceNode {
  requireObject('service.nodes', node)
  const { id, address, paths, metadata } = node
  requireString('node.address', address)
  if (address === '') throw new TypeError('node.address must not be empty')
  if (id !== undefined) requireString('node.id', id)
  if (paths !== undefined && (!Array.isArray(paths) || paths.some((path) => typeof path !== 'string')))
    throw new TypeError('node.paths must be a list of strings')
  return Object.freeze({
    id: id || nodeId(service, address),
    address,
    paths: paths && Object.freeze([...paths]),
    metadata: copyMetadata('node.metadata', metadata),
  })
}

// Object.fromEntries defines each key, so that `__proto__` is a key like any other.
function copyMetadata(name: string, metadata: Readonly<Record<string, string>> | null | undefined): Readonly<Record<string, string>> {
  if (metadata === undefined || metadata === null) return Object.freeze({})
  requireObject(name, metadata)
  if (Symbol.iterator in metadata) throw new TypeError(`${name} must be a plain object`)
  const entries = Object.entries(metadata)
  for (const [key, value] of entries) requireString(`${name}.${key.slice(0, 64)}`, value)
  return Object.freeze(Object.fromEntries(entries))
}

function requireString(name: string, value: unknown): void {
  if (typeof value !== 'string') throw new TypeError(`${name} must be a string`)
}

function sameService(a: Service, b: Service): boolean {
  return (
    a.name === b.name &&
    a.version === b.version &&
    sameMetadata(a.metadata, b.metadata) &&
    a.nodes.length === b.nodes.length &&
    a.nodes.every((node, index) => sameNode(node, b.nodes[index]))
  )
}

function sameNode(a: ServiceNode, b: ServiceNode): boolean {
  if (a.id !== b.id || a.address !== b.address || a.paths?.length !== b.paths?.length) return false
  return sameMetadata(a.metadata, b.metadata) && (a.paths === undefined || a.paths.every((path, index) => path === b.paths?.[index]))
}

function sameMetadata(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key])
}
