import type { ReadContext } from '../hooks/hooks.ts'
import type { Plugin } from '../hooks/plugin.ts'

/**
 * Routes CALLs and PUSHes by their service method in lower case (docs/spec/plugins.md#ignore-case). Routes must be
 * registered in lower case.
 */
export function ignoreCase(): Plugin {
  const lower = (message: ReadContext): void => {
    message.serviceMethod = message.serviceMethod.toLowerCase()
  }
  return { name: 'ignoreCase', afterReadCallHeader: lower, afterReadPushHeader: lower }
}
