// CPU time of other processes, from /proc.
import { readdirSync, readFileSync } from 'node:fs'

const TICK_US = 10_000 // USER_HZ is 100 on every Linux there is

/**
 * @typedef {object} CpuTime
 * @property {number} total µs of all threads: to the nanosecond, where /proc/PID/stat counts ticks of 10 ms
 * @property {number} system µs of that in the kernel
 * @property {Map<string, { name: string, used: number }>} threads µs
 */

/**
 * What these processes have used so far; null when they cannot be read.
 * @param {number[]} pids
 * @returns {CpuTime | null}
 */
export function cpuTime(pids) {
  if (pids.length === 0) return null
  try {
    const threads = new Map(pids.flatMap(threadsOf))
    const total = [...threads.values()].reduce((sum, { used }) => sum + used, 0)
    const system = pids.reduce((sum, pid) => sum + Number(statOf(pid)[STIME]) * TICK_US, 0)
    return { total, system, threads }
  } catch {
    return null // it has ended, or this is not Linux
  }
}

/** Whether a process runs; true where that cannot be told. */
export function runs(pid) {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return error.code !== 'ESRCH'
  }
  try {
    return statOf(pid)[STATE] !== 'Z'
  } catch {
    return process.platform !== 'linux'
  }
}

// Fields of /proc/PID/stat, counted from after the name.
const STATE = 0
const STIME = 12

function statOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

/** The thread that runs JavaScript is `node` here: Node 24 calls it MainThread, and in Node 20 its helpers are `node` too. */
function threadsOf(pid) {
  const first = readFileSync(`/proc/${pid}/comm`, 'latin1').trim()
  const isNode = first === 'node' || first === 'MainThread'
  return readdirSync(`/proc/${pid}/task`).flatMap((id) => {
    try {
      const [ns] = readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'latin1').split(' ')
      const name = readFileSync(`/proc/${pid}/task/${id}/comm`, 'latin1').trim()
      const label = !isNode ? name : Number(id) === pid ? 'node' : name === 'node' ? 'node helpers' : name
      return [[`${pid}/${id}`, { name: label, used: Number(ns) / 1000 }]]
    } catch {
      return [] // the thread has ended
    }
  })
}
