import { join } from 'node:path'
import { goProgram } from '../support/install.ts'
import { needCommands } from '../support/suite.ts'

/** Versions of etcd, with how to get each: the oldest that Debian has, and newer ones of its Go module. */
export const versions: Readonly<Record<string, () => Promise<string>>> = {
  '3.4': async () => {
    needCommands({ etcd: 'etcd-server' })
    return 'etcd'
  },
  '3.6': () => goProgram(join(import.meta.dirname, 'etcd-3.6')),
  '3.7': () => goProgram(join(import.meta.dirname, 'etcd-3.7')),
}
