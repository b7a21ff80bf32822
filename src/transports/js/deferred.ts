import { Deferred } from '../../base/deferred.ts'

/** The code that listens and dials by `node:net`. Processes with the native transport rarely need it. */
export const netModule = new Deferred(() => import('./sockets.ts'))

/** The code of KCP over `node:dgram`. */
export const kcpModule = new Deferred(() => import('./kcp/module.ts'))

/** The code of QUIC over the package @matrixai/quic. */
export const quicModule = new Deferred(() => import('./quic/module.ts'))
