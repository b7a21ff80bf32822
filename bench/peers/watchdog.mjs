// Ends the client when nothing will come any more, which some libraries never tell.
import { runs } from './cpu.mjs'
import { fail } from './fail.mjs'

const LOOK_MS = 200
const PATIENCE_MS = 10_000

/** @param {number[]} pids */
export function watchServers(pids) {
  const look = () => {
    const dead = pids.find((pid) => !runs(pid))
    if (dead !== undefined) fail(`the server ended (process ${dead})`)
  }
  setInterval(look, LOOK_MS).unref()
}

/** @param {{ calls: number }} progress */
export function watchProgress(progress) {
  let { calls } = progress
  let since = performance.now()
  const look = () => {
    if (progress.calls !== calls) {
      calls = progress.calls
      since = performance.now()
    } else if (performance.now() - since > PATIENCE_MS) {
      fail(`no call was answered for ${PATIENCE_MS / 1000} s`)
    }
  }
  setInterval(look, LOOK_MS).unref()
}
