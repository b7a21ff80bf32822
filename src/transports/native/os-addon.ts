/**
 * Functions of the operating system that Node.js lacks (native/node/os.h). An `errno` is a negative libuv code. They
 * never block.
 */
export interface OsAddon {
  /**
   * Locks an open file exclusively, until its last descriptor closes.
   * @returns 0 or an errno; EAGAIN when another open file has the lock
   */
  lockFile(descriptor: number): number
  /**
   * Sends a datagram to a Unix socket. A name that begins with `@` is abstract.
   * @returns 0 or an errno
   */
  notifySocket(path: string, text: string): number
  /**
   * The process at the other end of a Unix socket, as it was when it connected or listened. The pid is -1 where the
   * system does not tell it.
   * @returns its ids, or an errno
   */
  peerCredentials(descriptor: number): [pid: number, uid: number, gid: number] | number
  /**
   * Sets whether the programs that this process starts do without a descriptor.
   * @returns 0 or an errno
   */
  closeOnExec(descriptor: number, on: boolean): number
  /**
   * Closes `to` and makes it another descriptor of the open file `from`.
   * @returns 0 or an errno
   */
  duplicateTo(from: number, to: number): number
  /**
   * The URL of a stream socket that listens: `tcp://host:port`, `unix://path`, or `unix://@` without a path.
   * @returns the URL, or an errno
   */
  listeningAddress(descriptor: number): string | number
  /**
   * Makes a bound socket listen, without accepting from it.
   * @returns 0 or an errno
   */
  listenDescriptor(descriptor: number, backlog: number): number
  /**
   * Takes the exit status of a child that libuv did not start: an orphan that came to pid 1.
   * @returns undefined while the child runs; an errno, ECHILD when this process has no such child
   */
  reap(pid: number): [code: number, signal: number] | number | undefined
}
