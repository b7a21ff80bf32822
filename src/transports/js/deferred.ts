import { Deferred } from '../../base/deferred.ts'

/** The code that listens and dials by `node:net`. Processes with the native transport rarely need it. */
export const netModule = new Deferred(() => import('./sockets.ts'))
