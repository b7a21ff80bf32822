/** There is no sandbox or service of this name. */
export class UnknownNameError extends Error {
  override readonly name = 'UnknownNameError'
}
