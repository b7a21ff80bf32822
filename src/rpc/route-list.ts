import type { Plugin } from '../hooks/plugin.ts'

/** The plugin that lists the routes of an endpoint in the order of their registration, calls and pushes together. */
export interface RouteList extends Plugin {
  readonly names: readonly string[]
}

/**
 * @param isOwn whether a route is of the framework's, and no part of the service
 * @param onAdded called for each route
 */
export function routeList(isOwn: (name: string) => boolean, onAdded: () => void): RouteList {
  const names: string[] = []
  return {
    name: 'registry',
    names,
    afterRegRouter({ name }) {
      if (isOwn(name)) return
      names.push(name)
      onAdded()
    },
  }
}
