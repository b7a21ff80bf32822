import type { Cluster } from 'node:cluster'

// Modules of Node.js that many processes never need. They are loaded on first use, because each takes up to three
// milliseconds and a mebibyte.

export function nodeCrypto(): typeof import('node:crypto') {
  crypto ??= process.getBuiltinModule('node:crypto')
  return crypto
}

export function nodeZlib(): typeof import('node:zlib') {
  zlib ??= process.getBuiltinModule('node:zlib')
  return zlib
}

export function nodeTls(): typeof import('node:tls') {
  tls ??= process.getBuiltinModule('node:tls')
  return tls
}

/** Not imported, because an `import` of this module also loads Node's own undici, whose classes it exports. */
export function nodeHttp(): typeof import('node:http') {
  http ??= process.getBuiltinModule('node:http')
  return http
}

let crypto: typeof import('node:crypto') | undefined
let zlib: typeof import('node:zlib') | undefined
let http: typeof import('node:http') | undefined
let tls: typeof import('node:tls') | undefined

// Rarely used, so without a variable.

export function nodeDns(): typeof import('node:dns') {
  return process.getBuiltinModule('node:dns')
}

export function nodeNet(): typeof import('node:net') {
  return process.getBuiltinModule('node:net')
}

export function nodeOs(): typeof import('node:os') {
  return process.getBuiltinModule('node:os')
}

export function nodeWorkers(): typeof import('node:worker_threads') {
  return process.getBuiltinModule('node:worker_threads')
}

/**
 * Whether this process is a worker of `node:cluster`. A worker has a channel to its primary, so a process without a
 * channel need not load the module.
 */
export function isClusterWorker(): boolean {
  return process.send !== undefined && cluster().isWorker
}

function cluster(): Cluster {
  return process.getBuiltinModule('node:cluster') as unknown as Cluster
}
