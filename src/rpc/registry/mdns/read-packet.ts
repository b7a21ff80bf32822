import dnsPacket, { type Answer, type Question } from 'dns-packet'

/** A packet, as far as it is used. */
export interface Packet {
  readonly id: number
  readonly isResponse: boolean
  readonly questions: Question[]
  /** Answers, then additional records: Go looks at both. */
  readonly records: Answer[]
}

const HEADER = 12
/** Largest packet of mDNS, as RFC 6762 says. */
const MAX_PACKET = 9_000
const MAX_QUESTIONS = 16
/** Most records of all sections, far beyond those of a node. */
const MAX_RECORDS = 128
/** Opcode and return code, which must both be 0. */
const CODES = 0x780f
const QR = 0x8000

/**
 * Reads a packet of the network; undefined for all that is malformed, too large, or no standard query or answer to
 * one.
 */
export function readPacket(bytes: Buffer): Packet | undefined {
  try {
    if (bytes.length < HEADER || bytes.length > MAX_PACKET || !isSound(bytes)) return undefined
    const { id = 0, questions = [], answers = [], additionals = [] } = dnsPacket.decode(bytes)
    return { id, isResponse: (bytes.readUInt16BE(2) & QR) !== 0, questions, records: [...answers, ...additionals] }
  } catch {
    // The library throws for what it cannot read.
    return undefined
  }
}

/**
 * Whether all counts and lengths hold. The library decodes as many records as a packet claims, and accepts TXT
 * records that end behind the packet.
 */
function isSound(bytes: Buffer): boolean {
  if ((bytes.readUInt16BE(2) & CODES) !== 0) return false
  const questions = bytes.readUInt16BE(4)
  const records = bytes.readUInt16BE(6) + bytes.readUInt16BE(8) + bytes.readUInt16BE(10)
  if (questions > MAX_QUESTIONS || records > MAX_RECORDS) return false
  let at = HEADER
  for (let i = 0; i < questions; i++) at = skipName(bytes, at) + 4
  for (let i = 0; i < records; i++) {
    at = skipName(bytes, at)
    at += 10 + bytes.readUInt16BE(at + 8)
  }
  return at <= bytes.length
}

/** The offset behind a name. A pointer ends it; the library checks where it points. */
function skipName(bytes: Buffer, start: number): number {
  let at = start
  for (;;) {
    const length = bytes.readUInt8(at)
    if (length === 0) return at + 1
    if (length >= 0xc0) return at + 2
    at += 1 + length
  }
}
