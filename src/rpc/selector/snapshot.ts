import type { Service, ServiceNode } from '../registry/registry.ts'

/** A node and the service it is listed in. */
interface Listed {
  readonly node: ServiceNode
  readonly service: Service
}

/**
 * The nodes of a registry's snapshot by their ids and addresses: two servers of one id are two nodes, as long as they
 * are at two addresses. Of several records of one node the first counts. Records without an id or an address are left
 * out, since a registry may hold what anybody wrote.
 */
export function readSnapshot(services: readonly Service[]): Map<string, Listed> {
  const nodes = new Map<string, Listed>()
  for (const service of listOf<Service>(services)) {
    for (const node of listOf<ServiceNode>(service?.nodes)) {
      const { id, address } = Object(node) as Partial<ServiceNode>
      if (typeof id !== 'string' || typeof address !== 'string' || id === '' || address === '') continue
      const key = `${id}\n${address}`
      if (!nodes.has(key)) nodes.set(key, { node, service })
    }
  }
  return nodes
}

/** Whether two records of the same node say the same. */
export function sameRecord(a: Listed, b: Listed): boolean {
  return (
    (a.node === b.node || (sameValues(a.node.metadata, b.node.metadata) && sameValues(a.node.paths, b.node.paths))) &&
    (a.service === b.service || (a.service.version === b.service.version && sameValues(a.service.metadata, b.service.metadata)))
  )
}

function listOf<Each>(value: unknown): readonly Each[] {
  return Array.isArray(value) ? value : []
}

function sameValues(a: unknown, b: unknown): boolean {
  if (a === b) return true
  const [left, right] = [Object(a), Object(b)] as Record<string, unknown>[]
  if (left !== a || right !== b) return false
  const names = Object.keys(left)
  return names.length === Object.keys(right).length && names.every((name) => Object.hasOwn(right, name) && left[name] === right[name])
}
