import type { Cluster } from 'node:cluster'

// Modules of Node.js that most processes never need. To load one takes up to a millisecond and a megabyte, so that happens with its first use.

let crypto: typeof import('node:crypto') | undefined
let zlib: typeof import('node:zlib') | undefined
let http: typeof import('node:http') | undefined

export function nodeCrypto(): typeof import('node:crypto') {
  crypto ??= process.getBuiltinModule('node:crypto')
  return crypto
}

export function nodeZlib(): typeof import('node:zlib') {
  zlib ??= process.getBuiltinModule('node:zlib')
  return zlib
}

/** An `import` of it would also load all of Node's own undici, whose classes it exports. */
export function nodeHttp(): typeof import('node:http') {
  http ??= process.getBuiltinModule('node:http')
  return http
}

/** Whether this process is a worker of `node:cluster`, which has a channel to its primary; no other needs the module. */
export function isClusterWorker(): boolean {
  return process.send !== undefined && (process.getBuiltinModule('node:cluster') as unknown as Cluster).isWorker
}
