import { type FSWatcher, watch } from 'node:fs'
import { type ClockTimer, realClock } from '../../base/time/clock.ts'

/** Milliseconds without another change after which files are read: an editor writes in several steps. */
const SETTLE_MS = 100

/**
 * Calls `onChange` after something in one of the folders has changed. Folders are watched instead of files, because
 * editors and Kubernetes put new files in place of old ones. Keeps no process alive.
 */
export function watchFiles(folders: readonly string[], onChange: () => void): { close(): void } {
  let timer: ClockTimer | undefined
  const watchers: FSWatcher[] = []
  const changed = (): void => {
    realClock.clearTimeout(timer)
    timer = realClock.setTimeout(onChange, SETTLE_MS)
    timer.unref()
  }
  for (const folder of folders) {
    try {
      // A folder that disappears is not watched any more; SIGHUP still reads the files.
      watchers.push(watch(folder, { persistent: false }, changed).on('error', () => {}))
    } catch {
      // The system may have no watches left.
    }
  }
  return {
    close: () => {
      realClock.clearTimeout(timer)
      for (const watcher of watchers) watcher.close()
    },
  }
}
