import { CloseReason } from '../message/close-reason.ts'
import type { Incoming } from '../message/message.ts'
import { ENVELOPE_BYTES } from './cut-envelope.ts'
import { Framing } from './framing.ts'
import { HEADER_BYTES } from './raw.ts'
import { checkHeader, type FrameLimits, frameLength, unpackFrame } from './raw-unpack.ts'

const LENGTH_BYTES = 4

/** The rules by which `Framer` finds the frames of one framing. */
export interface Cutter {
  /** Number of bytes that decide whether a frame is legal. */
  readonly headerBytes: number
  /**
   * Checks a header, of which the part before `end` is there.
   * @returns 0, or `-CloseReason` when that part is already wrong
   */
  check(buffer: Buffer, start: number, end: number, limits: FrameLimits): number
  /** The whole size of the frame at `start`. Requires four of its bytes. */
  length(buffer: Buffer, start: number): number
  /**
   * Reads the frame that starts at `start` into `into`.
   * @returns its size, 0 when it is incomplete, or `-CloseReason`
   */
  unpack(buffer: Buffer, start: number, end: number, limits: FrameLimits, into: Incoming): number
}

const raw: Cutter = { headerBytes: HEADER_BYTES, check: checkHeader, length: frameLength, unpack: unpackFrame }

const envelope: Cutter = {
  headerBytes: ENVELOPE_BYTES,
  check: checkEnvelope,
  length: (buffer, start) => frameLength(buffer, start) + 4,

  unpack(buffer, start, end, limits, into) {
    const refused = checkEnvelope(buffer, start, end, limits)
    if (refused !== 0) return refused
    if (end - start < ENVELOPE_BYTES) return 0
    const total = frameLength(buffer, start) + 4
    if (end - start < total) return 0
    into.setUnparsed(buffer, start, start + total)
    return total
  },
}

/** Passes on all bytes that are there. */
const stream: Cutter = {
  headerBytes: 0,
  check: () => 0,
  length: () => 0,

  unpack(buffer, start, end, _limits, into) {
    if (start === end) return 0
    into.setUnparsed(buffer, start, end)
    return end - start
  },
}

/** Messages of a WebSocket, which the transport put behind their lengths. */
const message: Cutter = {
  headerBytes: LENGTH_BYTES,
  check: () => 0,
  length: (buffer, start) => frameLength(buffer, start) + LENGTH_BYTES,

  unpack(buffer, start, end, _limits, into) {
    if (end - start < LENGTH_BYTES) return 0
    const total = frameLength(buffer, start) + LENGTH_BYTES
    if (end - start < total) return 0
    into.setUnparsed(buffer, start + LENGTH_BYTES, start + total)
    return total
  },
}

/** Cutters by framing. A connection with framing Peek is never cut. */
const cutters: Readonly<Record<Framing, Cutter>> = {
  [Framing.Raw]: raw,
  [Framing.Envelope]: envelope,
  [Framing.Stream]: stream,
  [Framing.Peek]: stream,
  [Framing.Message]: message,
}

export function cutterOf(framing: Framing): Cutter {
  return cutters[framing]
}

/** Checks the header of an envelope; native/wire/envelope.cc has the same rules. */
function checkEnvelope(buffer: Buffer, start: number, end: number, limits: FrameLimits): number {
  const have = end - start
  if (have < 4) return 0
  const size = frameLength(buffer, start)
  if (size < 1) return -CloseReason.TooShort
  if (size + 4 > limits.maxMessage) return -CloseReason.TooLarge
  if (have < ENVELOPE_BYTES) return 0
  const filters = buffer[start + 4]
  if (filters > limits.maxFilters) return -CloseReason.FilterCount
  return size < 1 + filters ? -CloseReason.TooShort : 0
}
