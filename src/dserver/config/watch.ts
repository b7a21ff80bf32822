import { type FSWatcher, watch } from 'node:fs'

/** Milliseconds without another change after which files are read: an editor writes in several steps. */
const SETTLE_MS = 100

/**
 * Calls `onChange` after something in one of the folders has changed. Folders are watched instead of files, because
 * editors and Kubernetes put new files in place of old ones. Keeps no process alive.
 */
export function watchFiles(folders: readonly string[], onChange: () => void): { close(): void } {
  let timer: NodeJS.Timeout | undefined
  const watchers: FSWatcher[] = []
  const changed = (): void => {
    clearTimeout(timer)
    timer = setTimeout(onChange, SETTLE_MS).unref()
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
      clearTimeout(timer)
      for (const watcher of watchers) watcher.close()
    },
  }
}
