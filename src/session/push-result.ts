/** Result of a push that its connection took at once. */
export const PUSHED = Promise.resolve()
const ignore = (): void => {}

/** Marks a rejection as handled, because callers of `push` need not look at its promise. */
export function ignoreRejection(sent: Promise<void>): Promise<void> {
  sent.catch(ignore)
  return sent
}
