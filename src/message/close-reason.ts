/**
 * Why a connection ended. The C++ core reports the same numbers (native/wire/close_reason.h); the loader of the addon
 * compares the two tables. `closeReasonText` has the meaning of each.
 */
export const CloseReason = {
  Local: 0,
  Peer: 1,
  Io: 2,
  FrameTimeout: 3,
  WriteTimeout: 4,
  Unsent: 5,
  TooShort: 6,
  TooLarge: 7,
  Version: 8,
  FilterCount: 9,
  Filter: 10,
  Seq: 11,
  Type: 12,
  Overrun: 13,
  Meta: 14,
  Status: 15,
  Refused: 16,
  FilterFailed: 17,
  Protocol: 18,
  Malformed: 19,
  FilterMissing: 20,
  Hook: 21,
} as const
export type CloseReason = (typeof CloseReason)[keyof typeof CloseReason]

export const closeReasonText: readonly string[] = [
  'closed by this side',
  'closed by the peer',
  'connection error',
  'frame not completed in time',
  'peer does not read',
  'unsent bytes over the limit',
  'frame shorter than its header',
  'frame larger than the limit',
  'unknown protocol version',
  'too many transfer filters',
  'unknown transfer filter',
  'bad sequence number',
  'unknown message type',
  'field runs past the end of its frame',
  'unreadable meta',
  'unreadable status',
  'too many sessions',
  'bytes that a transfer filter refused',
  'bytes of no protocol, or of several, that is offered here',
  'bytes that are not the protocol',
  'message without a required transfer filter',
  'refused by a plugin',
]

/** True when the peer broke the protocol or a limit, which is logged as a warning; false for ordinary ends. */
export function isViolation(reason: number): boolean {
  return reason >= CloseReason.FrameTimeout
}
