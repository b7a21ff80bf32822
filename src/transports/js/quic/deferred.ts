import { Deferred } from '../../../base/deferred.ts'

/** The code of QUIC over the package @matrixai/quic. */
export const quicModule = new Deferred(() => import('./module.ts'))
