import { realClock } from '../../base/time/clock.ts'
import { reap } from '../os/peers.ts'
import type { Successor } from './successor.ts'

/** Milliseconds between two looks at a process that is not our child. */
const LOOK = 200

/**
 * Stands for the process that serves, where this process cannot end because it is the first of its container: passes
 * signals on, and ends as its last successor does.
 */
export class Guardian {
  #pid: number
  readonly #successor: Successor
  readonly #exit: (code: number) => void

  constructor(successor: Successor, exit: (code: number) => void) {
    this.#pid = successor.pid
    this.#successor = successor
    this.#exit = exit
    successor.process.on('exit', (code, signal) => {
      if (this.#pid === successor.pid) exit(code ?? (signal === null ? 1 : 128))
      else this.#watch()
    })
  }

  /** Handles that the process which serves handed over to another one, which becomes a child of this one. */
  follow(pid: number): void {
    this.#pid = pid
    if (this.#successor.process.exitCode !== null || this.#successor.process.signalCode !== null) this.#watch()
  }

  signal(signal: NodeJS.Signals): void {
    try {
      if (this.#pid > 1) process.kill(this.#pid, signal)
    } catch {
      // The process has just ended.
    }
  }

  #watching = false

  /** Waits for the end of a process that became a child of this one when its parent ended. */
  #watch(): void {
    if (this.#watching) return
    this.#watching = true
    const look = (): void => {
      const ended = reap(this.#pid)
      if (ended === undefined || (ended === 'none' && isAlive(this.#pid))) realClock.setTimeout(look, LOOK)
      else this.#exit(ended === 'none' ? 0 : ended.signal === 0 ? ended.code : 128 + ended.signal)
    }
    look()
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
