import { checkDescription } from './check-description.ts'
import { type Described, type DescribeOptions, describe, type ServiceDescription } from './description.ts'

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

/**
 * The description of a service, which may be one already: of whoever made it.
 *
 * @throws TypeError for what is no description, with the place of what is wrong
 */
export function described(service: Described, options: DescribeOptions): ServiceDescription {
  return 'dmicro' in service ? checkDescription(service, placeOf(service)) : describe(service, options)
}

/** What messages call a description. */
export function placeOf({ name }: Partial<ServiceDescription>): string {
  return typeof name === 'string' && /^\w{1,60}$/.test(name) ? `service ${name}` : 'service'
}
