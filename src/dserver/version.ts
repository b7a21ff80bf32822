import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { packageRoot } from '../base/here.ts'
import type { VersionInfo } from './ctl/commands.ts'
import type { ServerSettings } from './options.ts'

/** The answer of `version`. */
export function versionInfo(name: string, { version, commit, buildTime }: ServerSettings): VersionInfo {
  return {
    name,
    version: version ?? nearestVersion(dirname(scriptPath())) ?? 'unknown',
    commit,
    buildTime,
    dmicro: versionIn(packageRoot) ?? 'unknown',
    node: process.version,
    executable: scriptPath(),
    pid: process.pid,
  }
}

/** The application's own file. */
export function scriptPath(): string {
  return process.argv[1] ?? process.execPath
}

/** Version of the nearest package.json above a folder. */
function nearestVersion(folder: string): string | undefined {
  const above = dirname(folder)
  return versionIn(folder) ?? (above === folder ? undefined : nearestVersion(above))
}

function versionIn(folder: string): string | undefined {
  try {
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    return typeof version === 'string' ? version : undefined
  } catch {
    return undefined
  }
}
