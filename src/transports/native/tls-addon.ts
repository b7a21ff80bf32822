/** An object of the addon's that only the addon can read. */
export interface TlsHandle {
  readonly tls?: never
}

/** The functions of the addon about TLS (native/node/tls.cc). */
export interface TlsAddon {
  /** '' when the core can do TLS here, otherwise why it cannot. */
  tlsSupport(): string
  /**
   * Makes the context of TLS connections.
   * @param external `_external` of a SecureContext that nothing else uses
   * @param asks whether the client's hello is reported, and waits for `tlsAnswer`
   * @param protocols names of ALPN, each with its length before it
   * @param ticketKeys empty, or 80 bytes
   */
  tlsContext(
    external: unknown,
    server: boolean,
    requestCert: boolean,
    rejectUnauthorized: boolean,
    asks: boolean,
    protocols: Uint8Array,
    ticketKeys: Uint8Array,
  ): TlsHandle
  /** Takes the certificates of a SecureContext. */
  tlsIdentity(external: unknown): TlsHandle
  /**
   * Begins TLS on a connection that was opened paused. Records of kind Layer report its events, a Close its failure.
   * @param servername name that a client asks for
   * @param key what a client's sessions are kept under
   */
  tlsBegin(core: number, slot: number, generation: number, context: TlsHandle, servername: string | null, key: string | null): void
  tlsAnswer(core: number, slot: number, generation: number, refuse: boolean, identity: TlsHandle | null, protocol: string | null): void
  /** OpenSSL's text for the error in a Close record; '' for 0. */
  tlsErrorText(code: number): string
}
