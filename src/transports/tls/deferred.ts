import { Deferred } from '../../base/deferred.ts'

/** The settings of TLS, which most processes never need. Listening on and dialling secure addresses load it. */
export const tlsModule = new Deferred(() => import('./module.ts'))
