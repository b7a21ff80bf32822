// The globals of Node.js that the code of sessions uses, which scripts/browser.mjs puts in their place.
export { PageBuffer as Buffer } from './buffer.ts'

export const process = {
  platform: '',
  env: {},
  versions: {},
  emitWarning: (warning: unknown): void => console.warn(warning),
}
