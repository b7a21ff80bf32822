import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { packageRoot } from '../base/here.ts'

/** The version of this package. */
export function ownVersion(): string {
  return versionIn(packageRoot) ?? ''
}

/** Version of an installed package, as this package or the current folder finds it; undefined for none. */
export function installedVersion(name: string): string | undefined {
  for (const from of [packageRoot, `${process.cwd()}/`]) {
    for (const folder of createRequire(join(from, 'package.json')).resolve.paths(name) ?? []) {
      const version = versionIn(join(folder, name))
      if (version !== undefined) return version
    }
  }
  return undefined
}

function versionIn(folder: string): string | undefined {
  const file = join(folder, 'package.json')
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { version?: string }).version : undefined
}
