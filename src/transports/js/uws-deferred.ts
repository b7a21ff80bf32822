import { Deferred } from '../../base/deferred.ts'

/** The code that listens by uWebSockets.js, which only its users have. */
export const uwsModule = new Deferred(() => import('./uws.ts'))
