// Finds a driver's module; what is missing is told in one line.
import { readdirSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { fail, USAGE } from './fail.mjs'

const folder = new URL('../drivers/', import.meta.url)

export const driverNames = readdirSync(folder)
  .filter((file) => file.endsWith('.mjs'))
  .map((file) => file.slice(0, -'.mjs'.length))

/** @returns the module of the driver, which carries `payload` in the protocol, over the scheme */
export async function loadDriver(name, { payload, protocol, scheme }) {
  if (!driverNames.includes(name)) fail(`no driver is named ${name}; known: ${driverNames.join(', ')}`, USAGE)
  const driver = await import(new URL(`${name}.mjs`, folder).href).catch((error) =>
    fail(`${name} cannot run here: ${missingReason(error)}`),
  )
  if (!driver.payloads.includes(payload.kind)) fail(`${name} does not carry ${payload.name}`, USAGE)
  // A library with one protocol of its own knows nothing of ours.
  if (protocol !== 'raw' && !driver.protocols?.includes(protocol)) fail(`${name} does not speak ${protocol}`, USAGE)
  if (scheme !== undefined && !driver.schemes?.includes(scheme)) fail(`${name} has no ${scheme}`, USAGE)
  return driver
}

/** Why a module could not be loaded, in one line. */
export function missingReason(error) {
  const missing = error.code?.endsWith('MODULE_NOT_FOUND') ? /'([^']+)'/.exec(error.message)?.[1] : undefined
  if (missing === undefined) return error.message
  return isAbsolute(missing) ? `there is no ${missing} (npm run build)` : `package ${missing} is not installed (npm ci --prefix bench)`
}
