import { nodeNet } from '../base/builtin.ts'

/** An IPv4 address as most are written. Each part has at most three digits, but may be larger than 255. */
const DOTTED = /^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$/

/**
 * The version of an IP address, 0 for any other text: `isIP` of `node:net`, which is not loaded for plain IPv4
 * addresses, because it and the streams it needs take 2 ms.
 */
export function ipVersion(host: string): number {
  return DOTTED.test(host) && host.split('.').every((part) => Number(part) < 256 && String(Number(part)) === part)
    ? 4
    : nodeNet().isIP(host)
}
