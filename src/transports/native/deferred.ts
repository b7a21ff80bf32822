import { Deferred } from '../../base/deferred.ts'

/** Handshakes of TLS in the core. The transport loads it before it listens or dials with TLS. */
export const handshakes = new Deferred(() => import('./begin-handshake.ts'))
