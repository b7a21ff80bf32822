import type { Described } from './description.ts'

/**
 * Services as a list.
 *
 * @throws TypeError when there is none
 */
export function requireServices(services: Described | readonly Described[]): readonly Described[] {
  const list = Array.isArray(services) ? (services as readonly Described[]) : [services as Described]
  if (list.length === 0) throw new TypeError('there must be a service at least')
  return list
}
