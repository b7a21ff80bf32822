import { readFileSync } from 'node:fs'

/**
 * The name of this machine in that of its binary in the package: `linux-x64`, and `linux-x64-musl` where the C library
 * is musl (Alpine), whose processes cannot load binaries for glibc.
 */
export function machineName(): string {
  const name = `${process.platform}-${process.arch}`
  return process.platform === 'linux' && isMusl(mappedFiles()) ? `${name}-musl` : name
}

/** Whether of the files that a process has mapped one is musl and none glibc: a line each, as in /proc/self/maps. */
export function isMusl(maps: string): boolean {
  return (
    !/\/libc(?:\.so\.6|-2\.\d+\.so)$/m.test(maps) && /\/(?:ld-musl-[\w.-]+|libc\.musl-[\w.-]+|[\w-]+-linux-musl\/libc\.so)$/m.test(maps)
  )
}

/** Empty where /proc cannot be read. */
function mappedFiles(): string {
  try {
    return readFileSync('/proc/self/maps', 'latin1')
  } catch {
    return ''
  }
}
