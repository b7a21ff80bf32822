// Waiting for a server to accept connections, which the kernel completes before.
import { readdirSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { Server } from './peers.ts'

const ACCEPT_MS = 30_000

/** How many files a server has open. */
export const openFiles = ({ pids }: Server): number => readdirSync(`/proc/${pids[0]}/fd`).length

/** Waits until a server has `files` open. */
export async function accepted(server: Server, files: number): Promise<void> {
  for (const end = Date.now() + ACCEPT_MS; openFiles(server) < files; await pause(20)) {
    if (Date.now() > end) throw new Error(`${server.program.name} did not accept all connections in ${ACCEPT_MS / 1000} s`)
  }
}
