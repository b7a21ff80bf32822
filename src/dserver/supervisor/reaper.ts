import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readdirSync, readFileSync } from 'node:fs'
import type { Clock, ClockTimer } from '../../base/time/clock.ts'
import { osAddon } from '../os/native.ts'
import { reap } from '../os/peers.ts'
import { parseStat } from './stats.ts'

/** Milliseconds between a SIGCHLD and a look at the zombies. */
const DELAY_MS = 100
/** A zombie is reaped when it is still there at a look at least so many milliseconds after the first. */
const PATIENCE_MS = 500

/**
 * As pid 1, reaps processes whose parents have died. Children of `node:child_process` are left to Node.js, which needs
 * their exit codes: those made in this thread are known, and those of other threads are reaped by Node.js long before a
 * zombie has been seen here twice.
 */
export class OrphanReaper {
  readonly #clock: Clock
  readonly #onReaped: (pid: number) => void
  readonly #own = new Set<WeakRef<{ pid?: number }>>()
  /** When zombies were first seen, by pid. */
  #seen = new Map<number, number>()
  #timer: ClockTimer | undefined
  readonly #onChild = (): void => this.#lookIn(DELAY_MS)
  readonly #onSpawn = (message: unknown): void => {
    const { process: child } = Object(message) as { process?: { pid?: number } }
    if (child !== undefined) this.#own.add(new WeakRef(child))
  }

  constructor(clock: Clock, onReaped: (pid: number) => void) {
    this.#clock = clock
    this.#onReaped = onReaped
  }

  /** @returns false when there is no addon to reap with */
  start(): boolean {
    if (osAddon() === undefined) return false
    subscribe('child_process', this.#onSpawn)
    process.on('SIGCHLD', this.#onChild)
    this.#lookIn(DELAY_MS)
    return true
  }

  stop(): void {
    unsubscribe('child_process', this.#onSpawn)
    process.off('SIGCHLD', this.#onChild)
    this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #lookIn(ms: number): void {
    if (this.#timer !== undefined) return
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined
      this.#look()
    }, ms)
    this.#timer.unref()
  }

  #look(): void {
    const now = this.#clock.now()
    const own = this.#ownPids()
    const seen = new Map<number, number>()
    for (const pid of zombiesOf(process.pid)) {
      if (own.has(pid)) continue
      const since = this.#seen.get(pid) ?? now
      if (now - since < PATIENCE_MS || reap(pid) === undefined) seen.set(pid, since)
      else this.#onReaped(pid)
    }
    this.#seen = seen
    if (seen.size > 0) this.#lookIn(PATIENCE_MS)
  }

  #ownPids(): Set<number> {
    const pids = new Set<number>()
    for (const reference of this.#own) {
      const child = reference.deref() as { pid?: number; exitCode?: number | null; signalCode?: string | null } | undefined
      // Node.js has reaped those that have an exit code; their pids may be those of others by now.
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) this.#own.delete(reference)
      else if (child.pid !== undefined) pids.add(child.pid)
    }
    return pids
  }
}

function zombiesOf(parent: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const stat = parseStat(readFileSync(`/proc/${name}/stat`, 'latin1'))
      return stat?.state === 'Z' && stat.parent === parent ? [Number(name)] : []
    } catch {
      return [] // gone meanwhile
    }
  })
}
