import type { Address } from '../address.ts'
import type { TransportListener } from '../transport.ts'
import { readInheritance } from './environment.ts'
import { InheritedListener } from './gate.ts'
import { takeInherited } from './sockets.ts'

/**
 * Listens on the socket that this process was given for an address, or on a new one.
 * @param listen listens on the descriptor, or on a new socket without one
 */
export async function adoptOr(
  asked: Address,
  resolved: Address,
  listen: (descriptor?: number) => Promise<TransportListener>,
): Promise<TransportListener> {
  const { gate } = readInheritance()
  const socket = takeInherited(asked, resolved)
  if (socket === undefined) return listen()
  const listener = new InheritedListener(socket, listen)
  if (gate?.isClosed === true) gate.add(listener)
  else await listener.start()
  return listener
}
