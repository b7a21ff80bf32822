import { getSystemErrorName } from 'node:util'
import { type Address, formatAddress } from './address.ts'

/** The error Node itself would give for `errno` (negative): `code` 'ECONNREFUSED', `syscall`, and the address in the text. */
export function systemError(syscall: string, errno: number, address: Address): NodeJS.ErrnoException {
  const code = getSystemErrorName(errno)
  return Object.assign(new Error(`${syscall} ${code} ${formatAddress(address)}`), { code, errno, syscall })
}
