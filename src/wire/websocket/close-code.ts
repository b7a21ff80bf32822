/** Codes of close frames. `None` is never sent: a close frame without a code. */
export const CloseCode = {
  Normal: 1000,
  GoingAway: 1001,
  ProtocolError: 1002,
  None: 1005,
  NotText: 1007,
  Policy: 1008,
  TooLarge: 1009,
} as const
