import { getSystemErrorName } from 'node:util'
import { type Address, formatAddress } from './address.ts'

/**
 * The error that Node itself makes for a negative `errno`: `code` 'ECONNREFUSED', `syscall`, and the address in the
 * text.
 */
export function systemError(syscall: string, errno: number, address: Address): NodeJS.ErrnoException {
  const code = getSystemErrorName(errno)
  return Object.assign(new Error(`${syscall} ${code} ${formatAddress(address)}`), { code, errno, syscall })
}
