import { textOf } from '../../../base/errors/error-text.ts'
import { Code, StatusError } from '../../../base/errors/status.ts'

/** The parts of the binding of quiche in @matrixai/quic that are used here. */
export interface Quiche {
  readonly MAX_CONN_ID_LEN: number
  readonly Type: { readonly Initial: number }
  readonly Config: {
    withBoringSslCtx(
      verifyPeer: boolean,
      verifyAllowFail: boolean,
      ca: Uint8Array | undefined,
      key: Uint8Array[] | undefined,
      cert: Uint8Array[] | undefined,
      sigalgs: string,
    ): QuicheConfig
  }
  readonly Connection: {
    connect(serverName: string | undefined, scid: Uint8Array, local: HostPort, remote: HostPort, config: QuicheConfig): QuicheConnection
    accept(scid: Uint8Array, odcid: Uint8Array, local: HostPort, remote: HostPort, config: QuicheConfig): QuicheConnection
  }
  readonly Header: { fromSlice(datagram: Uint8Array, dcidLength: number): QuicheHeader }
  negotiateVersion(scid: Uint8Array, dcid: Uint8Array, out: Uint8Array): number
  retry(scid: Uint8Array, dcid: Uint8Array, newScid: Uint8Array, token: Uint8Array, version: number, out: Uint8Array): number
  versionIsSupported(version: number): boolean
}

export interface HostPort {
  readonly host: string
  readonly port: number
}

export interface QuicheHeader {
  readonly ty: number
  readonly version: number
  readonly dcid: Uint8Array
  readonly scid: Uint8Array
  readonly token?: Uint8Array
}

export interface QuicheConfig {
  grease(on: boolean): void
  setApplicationProtos(names: string[]): void
  setMaxIdleTimeout(ms: number): void
  setMaxRecvUdpPayloadSize(size: number): void
  setMaxSendUdpPayloadSize(size: number): void
  setInitialMaxData(size: number): void
  setInitialMaxStreamDataBidiLocal(size: number): void
  setInitialMaxStreamDataBidiRemote(size: number): void
  setMaxStreamWindow(size: number): void
  setMaxConnectionWindow(size: number): void
  setInitialMaxStreamsBidi(count: number): void
  setDisableActiveMigration(on: boolean): void
  enablePacing(on: boolean): void
}

/** How a connection was closed. */
export interface QuicheClose {
  readonly isApp: boolean
  readonly errorCode: number
  readonly reason: Uint8Array
}

export interface QuicheConnection {
  recv(datagram: Uint8Array, info: { from: HostPort; to: HostPort }): number
  send(out: Uint8Array): [length: number, info: { to: HostPort }] | null
  streamRecv(stream: number, out: Uint8Array): [length: number, fin: boolean] | null
  streamSend(stream: number, bytes: Uint8Array, fin: boolean): number | null
  streamReadable(stream: number): boolean
  timeout(): number | null
  onTimeout(): void
  close(app: boolean, code: number, reason: Uint8Array): void
  applicationProto(): Uint8Array
  peerCertChain(): Uint8Array[] | null
  isEstablished(): boolean
  isDraining(): boolean
  isClosed(): boolean
  isTimedOut(): boolean
  peerError(): QuicheClose | null
  localError(): QuicheClose | null
  sendAckEliciting(): void
}

const PACKAGE = '@matrixai/quic'
let loaded: Quiche | undefined

/**
 * The binding, loaded by the first call. Its module alone: the rest of the package is not used, and takes 300 ms.
 *
 * @throws StatusError 1 (rejects) when the package is missing or has no binary for this machine
 */
export async function loadQuiche(): Promise<Quiche> {
  if (loaded !== undefined) return loaded
  const name = `${PACKAGE}/native/quiche.js`
  try {
    loaded = ((await import(name)) as { default: Quiche }).default
    return loaded
  } catch (error) {
    throw unable(error)
  }
}

function unable(error: unknown): StatusError {
  const missing = (error as { code?: unknown }).code === 'ERR_MODULE_NOT_FOUND'
  const machine = `${process.platform}-${process.arch}`
  const text = missing
    ? `quic:// needs the package ${PACKAGE}: npm install ${PACKAGE}`
    : `quic:// needs a binary of ${PACKAGE} for ${machine}: npm install ${PACKAGE} (${textOf(error).split('\n', 1)[0]})`
  return new StatusError(Code.InvalidOperation, undefined, text)
}

/** The binding. Requires that `loadQuiche` has loaded it. */
export function quiche(): Quiche {
  return loaded!
}
