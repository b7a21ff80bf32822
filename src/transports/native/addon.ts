import { existsSync } from 'node:fs'
import { relative } from 'node:path'
import { bundled, packageRoot } from '../../base/here.ts'
import type { OsAddon } from './os-addon.ts'
import { machineName } from './prebuild.ts'
import { type Layout, layoutDifference } from './ring-layout.ts'
import type { TlsAddon } from './tls-addon.ts'

/** The functions of the C++ addon (native/node/addon.cc). An `errno` is a negative libuv code. */
export interface NativeAddon extends OsAddon, TlsAddon {
  /**
   * Makes a core: a reactor and its rings, in the loop's own thread or on a thread of its own. Its number is known to
   * the caller alone, so that several copies of this code in one environment do not interfere.
   * @param external whether the rings stay where they are even when an ArrayBuffer of them is transferred. Must be
   *   false together with a mark that forbids that, because Node.js 24 would crash at exit.
   * @param onBatch called with records `control[First…First+Count)`, readable until it returns
   */
  start(ownThread: boolean, external: boolean, onBatch: () => void): NativeRings
  /**
   * Listens on a host (an IP literal) and port, or on a path with host null and port 0. Accepted connections go in turn
   * to the cores (with threads) whose numbers are in `adopters`, or all to `core` when that is empty. Their records
   * carry `token`.
   * @param descriptor of a socket that listens already, opened in place of a new one; -1 for none. It stays the
   *   caller's
   * @returns the listener's id, or an errno
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
    descriptor: number,
    ...limits: NativeLimits
  ): number
  /**
   * Adopts a connection that was accepted elsewhere, as if a listener of `core` with this token had accepted it. The
   * descriptor stays the caller's.
   * @returns 0 or an errno
   */
  adopt(core: number, descriptor: number, pipe: boolean, token: number, ...limits: NativeLimits): number
  /** @param keepPath whether the path of a Unix socket stays, because another process listens on the socket */
  closeListener(core: number, id: number, keepPath: boolean): void
  /** The descriptor of a listener, which stays the core's; -1 when there is none. */
  listenerDescriptor(core: number, id: number): number
  listenerAddress(core: number, id: number): string
  /**
   * Dials. A record Connect or Close follows.
   * @returns the connection's slot, with its generation in `control`, or an errno
   */
  dial(core: number, host: string | null, port: number, path: string | null, ...limits: NativeLimits): number
  /** Listens on the UDP port of a host for KCP, as `listen`. All sessions stay on `core`. */
  listenKcp(
    core: number,
    host: string,
    port: number,
    reusePort: boolean,
    token: number,
    settings: Uint32Array,
    ...limits: NativeLimits
  ): number
  /** Dials over KCP, as `dial`. */
  dialKcp(core: number, host: string, port: number, settings: Uint32Array, ...limits: NativeLimits): number
  end(core: number, slot: number, generation: number): void
  destroy(core: number, slot: number, generation: number, reason: number): void
  /** Stops reading a connection. Messages that were read before are still delivered. */
  pauseReading(core: number, slot: number, generation: number): void
  resumeReading(core: number, slot: number, generation: number): void
  /**
   * Sets a `SocketOption`.
   * @returns 0 or an errno; EBADF once the connection is closing
   */
  setSocketOption(core: number, slot: number, generation: number, option: number, value: number): number
  /** The descriptor of a connection, -1 when there is none. */
  descriptor(core: number, slot: number, generation: number): number
  /**
   * For tests: noDelay, keepAlive, its seconds, receive and send buffer as the system has them; -1 where it has none.
   */
  socketOptions(descriptor: number): Int32Array
  /**
   * Sets the framing of a connection with framing Peek, which is not read before.
   * @param skip number of the bytes shown that are dropped
   * @param webSocket `WebSocketBit`s, or 0
   */
  setFraming(core: number, slot: number, generation: number, framing: number, skip: number, webSocket: number): void
  drain(core: number): void
  drainWith(core: number, body: Uint8Array): void
  takeLarge(core: number, index: number): ArrayBuffer | undefined
  intern(core: number, id: number, name: Uint8Array): void
  busyPoll(core: number, microseconds: number): void
  /** Sets whether a core with a thread of its own keeps the process alive. */
  keepAlive(core: number, on: boolean): void
  /** One conversation of KCP alone, for tests: native/kcp/script.h. */
  kcpRun(settings: Uint32Array, conv: number, script: Uint8Array): ArrayBuffer
  /** The raw protocol alone, for tests: native/node/raw_codec.h. */
  unpack(bytes: Uint8Array, maxMessage: number, maxFilters: number): Int32Array
  pack(seq: number, type: number, method: Uint8Array, status: Uint8Array, meta: Uint8Array, codec: number, body: Uint8Array): ArrayBuffer
  readonly layout: Layout
}

/** Memory shared with a core: native/io/ring_layout.h. */
interface NativeRings {
  /** The core's number in all other calls. */
  number: number
  inbox: ArrayBuffer
  records: ArrayBuffer
  outbox: ArrayBuffer
  sends: ArrayBuffer
  control: ArrayBuffer
  /** int32 by slot: bytes that the peer has not taken. */
  unsent: ArrayBuffer
  /** int32 by slot: part of `unsent` that replies to the peer take. */
  replies: ArrayBuffer
  /** int32 by slot: changes when bytes of the peer were received, or when it took bytes that waited for it. */
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
  /** Whether connections are opened without reading, until `resumeReading`. */
  paused: boolean,
]

/** Either the addon, or why there is none in one line. */
type NativeLoad = { addon: NativeAddon } | { reason: string }

let loaded: NativeLoad | undefined

/**
 * Loads the addon once per environment: the local build first, then the binary shipped in the package. Never throws.
 */
export function loadNative(): NativeLoad {
  loaded ??= tryLoad()
  return loaded
}

function tryLoad(): NativeLoad {
  // Both runtimes define process.versions.node too, but abort or hang on libuv calls.
  for (const runtime of ['bun', 'deno']) {
    if (process.versions[runtime] !== undefined) return { reason: `${runtime} cannot run the native transport` }
  }
  if (process.platform === 'win32') return { reason: 'the native transport runs on Linux and macOS' }
  if (bundled) return { reason: 'a bundle has no native binary: keep dmicro out of it (external)' }
  let path = `${packageRoot}build/Release/dmicro.node`
  if (!existsSync(path)) {
    const machine = machineName()
    path = `${packageRoot}prebuilds/dmicro-${machine}/dmicro.node`
    if (!existsSync(path))
      return { reason: `no native binary was built or shipped for ${machine}; to make one: ${howToBuild(packageRoot)}` }
  }
  try {
    const addon = load(path)
    const difference = layoutDifference(addon.layout)
    return difference === '' ? { addon } : { reason: `the native binary is of another version: ${difference}` }
  } catch (error) {
    const text = error instanceof Error ? error.message.split('\n')[0] : String(error)
    return { reason: `the native binary does not load: ${text}` }
  }
}

/** Loads a binary as `require` does, without its search for the file. */
function load(path: string): NativeAddon {
  const module = { exports: {} }
  process.dlopen(module, path)
  return module.exports as NativeAddon
}

/**
 * The command that builds the addon here: a checkout has its tools, an installed package none. Either needs a C++
 * compiler and cmake.
 */
function howToBuild(root: string): string {
  if (existsSync(`${root}scripts/setup.mjs`)) return 'npm run build'
  return `npm i --no-save cmake-js node-addon-api node-api-headers && npx cmake-js compile -d ${relative('', root)}`
}
