import { existsSync } from 'node:fs'
import { relative } from 'node:path'
import { bundled, packageRequire, packageRoot } from '../../base/here.ts'
import { type Layout, layoutDifference } from './ring-layout.ts'

/** All that the C++ addon offers (native/node/addon.cc). `errno` is a negative libuv code. */
export interface NativeAddon {
  /**
   * Makes a core: a reactor and its rings, in the loop's own thread or on a thread of its own. Whoever made it alone knows its number, so
   * that several copies of this code in one environment do not meet. `external`: the rings stay where they are even when an ArrayBuffer of them
   * is transferred; not together with a mark that forbids that, at which Node.js 24 fails when it ends. `onBatch` is called with records `control[First…First+Count)` readable until it returns.
   */
  start(ownThread: boolean, external: boolean, onBatch: () => void): NativeRings
  /**
   * Host (an IP literal) and port, or null, 0 and a path. Listener id or errno. Its connections go to the cores (with threads) that
   * `adopters` numbers in turn, or all to `core` when there are none, and name `token`.
   */
  listen(
    core: number,
    host: string | null,
    port: number,
    path: string | null,
    backlog: number,
    reusePort: boolean,
    token: number,
    adopters: readonly number[],
    ...limits: NativeLimits
  ): number
  /**
   * A connection accepted elsewhere, by its descriptor, which stays the caller's: it comes as if a listener of `core` with this token had taken it.
   * Errno or 0.
   */
  adopt(core: number, descriptor: number, pipe: boolean, token: number, ...limits: NativeLimits): number
  closeListener(core: number, id: number): void
  listenerAddress(core: number, id: number): string
  /** Slot or errno; the generation is in `control`. Record Connect or Close follows. */
  dial(core: number, host: string | null, port: number, path: string | null, ...limits: NativeLimits): number
  end(core: number, slot: number, generation: number): void
  destroy(core: number, slot: number, generation: number, reason: number): void
  /** Stops reading a connection. What was read before still comes. */
  pauseReading(core: number, slot: number, generation: number): void
  resumeReading(core: number, slot: number, generation: number): void
  /** Errno or 0, of a number of `SocketOption`; EBADF once the connection is closing. */
  setSocketOption(core: number, slot: number, generation: number, option: number, value: number): number
  /** -1 when there is none. */
  descriptor(core: number, slot: number, generation: number): number
  /** For tests: noDelay, keepAlive, its seconds, receive and send buffer as the system has them; -1 where it has none. */
  socketOptions(descriptor: number): Int32Array
  /** Answers what a connection with framing Peek sent; it is not read before. */
  setFraming(core: number, slot: number, generation: number, framing: number): void
  drain(core: number): void
  drainWith(core: number, body: Uint8Array): void
  takeLarge(core: number, index: number): ArrayBuffer | undefined
  intern(core: number, id: number, name: Uint8Array): void
  busyPoll(core: number, microseconds: number): void
  /** Whether a core with a thread of its own keeps the process alive. */
  keepAlive(core: number, on: boolean): void
  /** The raw protocol alone, for tests: native/node/raw_codec.h. */
  unpack(bytes: Uint8Array, maxMessage: number, maxFilters: number): Int32Array
  pack(seq: number, type: number, method: Uint8Array, status: Uint8Array, meta: Uint8Array, codec: number, body: Uint8Array): ArrayBuffer
  readonly layout: Layout
}

/** Memory shared with a core: native/io/ring_layout.h. */
export interface NativeRings {
  /** Names the core in all other calls. */
  number: number
  inbox: ArrayBuffer
  records: ArrayBuffer
  outbox: ArrayBuffer
  sends: ArrayBuffer
  control: ArrayBuffer
  /** int32 by slot: bytes the peer has not taken. */
  unsent: ArrayBuffer
  /** int32 by slot: those of them that answer it. */
  replies: ArrayBuffer
  /** int32 by slot: changes when bytes of the peer came, or it took some of those that waited for it. */
  activity: ArrayBuffer
}

export type NativeLimits = [
  maxMessage: number,
  maxFilters: number,
  maxUnsent: number,
  frameTimeout: number,
  writeTimeout: number,
  framing: number,
  noDelay: boolean,
  keepAliveSeconds: number,
  receiveBuffer: number,
  sendBuffer: number,
]

/** Either the addon or why there is none, in one line. */
export type NativeLoad = { addon: NativeAddon } | { reason: string }

let loaded: NativeLoad | undefined

/** Loads the addon once per environment: the local build first, then the binary shipped in the package. Never throws. */
export function loadNative(): NativeLoad {
  loaded ??= tryLoad()
  return loaded
}

function tryLoad(): NativeLoad {
  // These define process.versions.node too, but abort or hang on libuv calls.
  for (const runtime of ['bun', 'deno']) {
    if (process.versions[runtime] !== undefined) return { reason: `${runtime} cannot run the native transport` }
  }
  if (process.platform === 'win32') return { reason: 'the native transport runs on Linux and macOS' }
  if (bundled) return { reason: 'a bundle has no native binary: keep dmicro out of it (external)' }
  const paths = [
    `${packageRoot}build/Release/dmicro.node`,
    `${packageRoot}prebuilds/dmicro-${process.platform}-${process.arch}/dmicro.node`,
  ]
  const path = paths.find((candidate) => existsSync(candidate))
  if (path === undefined)
    return {
      reason: `no native binary was built or shipped for ${process.platform}-${process.arch}; to make one: ${howToBuild(packageRoot)}`,
    }
  try {
    const addon = packageRequire(path) as NativeAddon
    const difference = layoutDifference(addon.layout)
    return difference === '' ? { addon } : { reason: `the native binary is of another version: ${difference}` }
  } catch (error) {
    const text = error instanceof Error ? error.message.split('\n')[0] : String(error)
    return { reason: `the native binary does not load: ${text}` }
  }
}

/** What makes a binary where the package lies: a checkout has its tools, an installed package none. Either needs a C++ compiler and cmake. */
function howToBuild(root: string): string {
  if (existsSync(`${root}scripts/setup.mjs`)) return 'npm run build'
  return `npm i --no-save cmake-js node-addon-api node-api-headers && npx cmake-js compile -d ${relative('', root)}`
}
