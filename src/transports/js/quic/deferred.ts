import { Deferred } from '../../../base/deferred.ts'
import { netModule } from '../deferred.ts'

/** The code of QUIC over the package @matrixai/quic, with that of sockets (`../shared.ts`). */
export const quicModule = new Deferred(async () => {
  await netModule.load()
  return import('./module.ts')
})
