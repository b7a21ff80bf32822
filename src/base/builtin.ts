import type { Cluster } from 'node:cluster'

// Modules of Node.js that most processes never need. They are loaded on first use, because each takes up to a
// millisecond and a mebibyte.

let crypto: typeof import('node:crypto') | undefined
let zlib: typeof import('node:zlib') | undefined
let http: typeof import('node:http') | undefined
let tls: typeof import('node:tls') | undefined

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
