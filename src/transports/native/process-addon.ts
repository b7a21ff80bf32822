/** The addon's functions about processes (native/node/process.cc). An `errno` is a negative libuv code. */
export interface ProcessAddon {
  /**
   * Reaps a zombie child of this process. Must not be called for children of `node:child_process`.
   * @returns 1 when it was reaped, 0 when it lives, or an errno
   */
  reapProcess(pid: number): number
  /**
   * Makes a bound socket listen, without accepting from it.
   * @returns 0 or an errno
   */
  listenDescriptor(descriptor: number, backlog: number): number
}
