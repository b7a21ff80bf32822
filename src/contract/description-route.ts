import { type Describable, describe, type ServiceDescription } from './description.ts'
import type { Routes } from './types.ts'

/** The route that tells what is served. */
export const DESCRIBE_ROUTE = '/dmicro/describe'

const offered = new WeakMap<Routes, Describable[]>()

/** Adds a service to what `/dmicro/describe` of these routes answers; the first one registers the route. */
export function offerDescription(routes: Routes, service: Describable): void {
  const known = offered.get(routes)
  if (known !== undefined) {
    if (!known.includes(service)) known.push(service)
    return
  }
  const services = [service]
  offered.set(routes, services)
  const made = new Map<Describable, ServiceDescription>()
  const answer = (): { services: ServiceDescription[] } => ({
    services: services.map((each) => {
      const found = made.get(each) ?? describe(each, { unknown: 'open' })
      made.set(each, found)
      return found
    }),
  })
  const add = routes.routeCall as (name: string, handler: () => unknown, options: object) => string[]
  add.call(routes, DESCRIBE_ROUTE, answer, { safe: true })
}
