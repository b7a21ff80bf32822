import { Deferred } from '../../../base/deferred.ts'

/** The code of KCP over `node:dgram`. Requires that the code of sockets is loaded. */
export const kcpModule = new Deferred(() => import('./module.ts'))
