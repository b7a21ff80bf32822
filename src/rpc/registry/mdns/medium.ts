/** Where a packet came from, or goes to. */
export interface Remote {
  readonly address: string
  readonly port: number
}

/** Receives packets. */
export interface MediumHandler {
  onPacket(packet: Buffer, from: Remote): void
}

/** The network as a registry sees it. Nothing throws, since a lost packet is nothing special. */
export interface Medium {
  /**
   * Begins to receive.
   * @throws (rejects) when there is no way to receive at all
   */
  open(handler: MediumHandler): Promise<void>
  close(): void
  /** Sends to the group from a port of its own, to which replies come. False when it could not be sent anywhere. */
  query(packet: Buffer): boolean
  /** Sends to the group from the port of mDNS. */
  announce(packet: Buffer): void
  reply(packet: Buffer, to: Remote): void
  /** An address of this host by which others reach it. */
  ownAddress(): string
}
