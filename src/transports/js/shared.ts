import { netModule } from './deferred.ts'

/**
 * Code that sockets share with KCP and QUIC. Taken from the module of sockets, which is loaded before, because a
 * bundler would otherwise cut it into pieces, which every process with sockets would have to load.
 */
export const { acceptConnection, Carrier, hostPort, SocketConnection, StreamCarrier, secureDialled, TlsAcceptor } = netModule.module
