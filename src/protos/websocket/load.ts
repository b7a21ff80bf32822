import { Deferred } from '../../base/deferred.ts'

/** The module of WebSockets, which most processes never need. */
export const webSockets = new Deferred(() => import('./module.ts'))
