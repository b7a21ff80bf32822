import type { Server as HttpServer, ServerResponse } from 'node:http'
import type { Server } from 'node:net'
import { type ClockTimer, realClock } from '../../base/time/clock.ts'
import { formatAddress, parseAddress } from '../../transports/address.ts'
import { adoptOr } from '../../transports/handover/adopt.ts'
import { type OpenSocket, openSockets } from '../../transports/handover/sockets.ts'
import { netModule } from '../../transports/js/deferred.ts'
import { resolveAddress } from '../../transports/resolve.ts'
import type { Transport } from '../../transports/transport.ts'

/** Resolves names as the system does. */
const bySystem = { transport: {} as Transport, lookup: undefined }

/**
 * Makes a server of the application's own listen, on the socket of the process before if there is one.
 *
 * @returns the URL with the real port
 * @throws (rejects) TypeError for a bad URL; the system's error
 */
export async function listenServer(server: Server, url: string): Promise<string> {
  const asked = parseAddress(url)
  const { listenWith } = await netModule.load()
  const [resolved] = await resolveAddress(asked, bySystem)
  const listener = await adoptOr(asked, resolved, (descriptor) => listenWith(server, resolved, { descriptor }))
  const bound = formatAddress(listener.address)
  const closed = new Promise<void>((resolve) => {
    server.once('close', () => resolve())
  })
  const close = async (handedOver: boolean): Promise<void> => {
    if (!openSockets.delete(socket)) return
    refuseReuse(server)
    await listener.close(handedOver)
  }
  const socket: OpenSocket = {
    asked: formatAddress(asked),
    url: bound,
    descriptor: () => listener.descriptor?.() ?? -1,
    release: () => close(true),
    owner: { drain: (timeout) => close(false).then(() => drain(server, closed, timeout)) },
  }
  openSockets.add(socket)
  void closed.then(() => openSockets.delete(socket))
  return bound
}

/** Tells HTTP clients that their connection ends with the answer, because a request may meet the end of an idle one. */
function refuseReuse(server: Server): void {
  server.prependListener('request', (_request: unknown, response: ServerResponse) => {
    if (!response.headersSent) response.setHeader('connection', 'close')
  })
}

/** Waits for the connections of a server that does not listen any more. */
async function drain(server: Server, closed: Promise<void>, timeout: number): Promise<void> {
  const { closeIdleConnections, closeAllConnections } = server as Partial<HttpServer>
  closeIdleConnections?.call(server)
  let timer: ClockTimer | undefined
  const late = new Promise<void>((resolve) => {
    timer = realClock.setTimeout(() => {
      closeAllConnections?.call(server)
      resolve()
    }, timeout)
  })
  await Promise.race([closed, late])
  realClock.clearTimeout(timer)
}
