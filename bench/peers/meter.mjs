// Time and CPU of the measured window.
import { cpuTime } from './cpu.mjs'

/** Between `begin` and `end` lies the window; `result` divides what it took by the calls. */
export function createMeter(serverPids) {
  let began
  let ended
  const read = () => ({ server: cpuTime(serverPids), client: process.cpuUsage(), time: performance.now() })
  return {
    begin() {
      began = read()
    },
    end() {
      ended = read()
    },
    result(calls) {
      const seconds = (ended.time - began.time) / 1000
      const perCall = (us) => Number((us / calls).toFixed(4))
      const both = began.server !== null && ended.server !== null
      const client = ended.client.user + ended.client.system - began.client.user - began.client.system
      return {
        calls,
        seconds: Number(seconds.toFixed(3)),
        calls_per_second: Math.round(calls / seconds),
        server_cpu_us_per_call: both ? perCall(ended.server.total - began.server.total) : null,
        server_system_us_per_call: both ? perCall(ended.server.system - began.server.system) : null,
        server_threads: both ? byName(began.server.threads, ended.server.threads, perCall) : null,
        client_cpu_us_per_call: perCall(client),
      }
    },
  }
}

/** CPU per call by thread name; threads that used none are left out. */
function byName(before, after, perCall) {
  const used = {}
  for (const [id, thread] of after) used[thread.name] = (used[thread.name] ?? 0) + thread.used - (before.get(id)?.used ?? 0)
  return Object.fromEntries(
    Object.entries(used)
      .map(([name, us]) => [name, perCall(us)])
      .filter(([, us]) => us > 0),
  )
}
