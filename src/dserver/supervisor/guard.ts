import { type ChildProcess, spawn } from 'node:child_process'

/**
 * Ends all groups that it knows when its stdin ends, which is when the supervisor dies, however it dies: first with
 * their stop signal, after their stop time with SIGKILL. In a session of its own, so that signals of a terminal do not
 * reach it.
 */
const SCRIPT = `trap '' INT TERM HUP QUIT USR1 USR2
known=' '
while read -r op id seconds signal; do
  case $op in
    +) known="$known$id:$seconds:$signal " ;;
    -) kept=' '
       for each in $known; do case $each in $id:*) ;; *) kept="$kept$each " ;; esac; done
       known=$kept ;;
  esac
done
exec </dev/null >/dev/null 2>&1
for each in $known; do
  (
    id=\${each%%:*}; rest=\${each#*:}; seconds=\${rest%%:*}; signal=\${rest#*:}
    kill -s "$signal" -- "-$id" || exit
    while [ "$seconds" -gt 0 ] && kill -s 0 -- "-$id"; do sleep 1; seconds=$((seconds - 1)); done
    kill -s KILL -- "-$id"
  ) &
done
wait`

/** A small shell process that outlives this one, to end its children. */
export class Guard {
  readonly #groups = new Map<number, string>()
  #process: ChildProcess | undefined
  #closed = false

  /** From now on the group of `pid` ends with this process. */
  add(pid: number, signal: NodeJS.Signals, stopTime: number): void {
    const entry = `${Math.ceil(stopTime / 1000)} ${signal.replace('SIG', '')}`
    this.#groups.set(pid, entry)
    if (this.#process === undefined) this.#start()
    else this.#write(`+ ${pid} ${entry}\n`)
  }

  remove(pid: number): void {
    if (this.#groups.delete(pid)) this.#write(`- ${pid}\n`)
  }

  /** Pid of the guard, for tests. */
  get pid(): number | undefined {
    return this.#process?.pid
  }

  close(): void {
    this.#closed = true
    for (const pid of [...this.#groups.keys()]) this.remove(pid)
    this.#process?.stdin?.end()
  }

  #start(): void {
    const guard = spawn('/bin/sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, cwd: '/' })
    this.#process = guard
    guard.on('error', () => {})
    guard.stdin.on('error', () => {})
    guard.once('exit', () => {
      this.#process = undefined
      // Somebody killed it.
      if (!this.#closed && this.#groups.size > 0) this.#start()
    })
    guard.unref()
    ;(guard.stdin as unknown as { unref?(): void }).unref?.()
    for (const [pid, entry] of this.#groups) this.#write(`+ ${pid} ${entry}\n`)
  }

  #write(line: string): void {
    this.#process?.stdin?.write(line)
  }
}
