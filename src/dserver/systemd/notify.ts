import { spawn } from 'node:child_process'
import { monotonicMicroseconds } from '../os/monotonic.ts'
import { osAddon } from '../os/native.ts'
import { Watchdog, watchdogTime, watchdogVariables } from './watchdog.ts'

/** Sends one datagram of the notification protocol. */
type SendNotification = (socket: string, text: string) => void

/**
 * Node.js has no datagrams over Unix sockets: the native core sends. Where that does not run, systemd's own command
 * does, whose exit code tells nothing of use. Starting it for each turn of the watchdog would cost more than it tells.
 */
const send: SendNotification = (socket, text) => {
  const addon = osAddon()
  if (addon !== undefined) {
    addon.notifySocket(socket, text)
    return
  }
  spawn('systemd-notify', text.split('\n'), { env: { ...process.env, NOTIFY_SOCKET: socket }, stdio: 'ignore' })
    .on('error', () => {})
    .unref()
}

/** Where the service manager listens, and how often it wants to hear from this process. */
interface NotifySettings {
  readonly socket: string | undefined
  /** Milliseconds within which WATCHDOG=1 must come; 0 for no watchdog. */
  readonly watchdog: number
}

/**
 * Takes the service manager's variables out of the environment, because children of this process are not the service.
 */
export function takeNotifySettings(environment: NodeJS.ProcessEnv): NotifySettings {
  const { NOTIFY_SOCKET } = environment
  const watchdog = watchdogTime(environment)
  for (const name of ['NOTIFY_SOCKET', ...watchdogVariables]) delete environment[name]
  return { socket: NOTIFY_SOCKET !== undefined && /^[/@]/.test(NOTIFY_SOCKET) ? NOTIFY_SOCKET : undefined, watchdog }
}

/** Tells a service manager (systemd, or one with its protocol) how the service is; nothing without one. */
export class Notifier {
  readonly #settings: NotifySettings
  readonly #send: SendNotification
  readonly #watchdog: Watchdog

  constructor(settings: NotifySettings, sender: SendNotification = send) {
    this.#settings = settings
    this.#send = sender
    this.#watchdog = new Watchdog(settings.socket === undefined ? 0 : settings.watchdog, () => this.#notify('WATCHDOG=1'))
  }

  /** The service is ready, after its start or a reload. From now on the watchdog is fed, as long as the loop turns. */
  ready(status: string): void {
    this.#notify('READY=1', `STATUS=${oneLine(status)}`, `MAINPID=${process.pid}`)
    this.#watchdog.start()
  }

  reloading(): void {
    // The time by which systemd tells this reload from an earlier one.
    this.#notify('RELOADING=1', `MONOTONIC_USEC=${monotonicMicroseconds()}`)
  }

  stopping(): void {
    this.#notify('STOPPING=1')
  }

  /** The process that the manager should take for the service from now on. */
  mainPid(pid: number): void {
    this.#notify(`MAINPID=${pid}`)
  }

  status(text: string): void {
    this.#notify(`STATUS=${oneLine(text)}`)
  }

  /** Variables for a process that takes this one's place. */
  get environment(): Record<string, string> {
    const { socket, watchdog } = this.#settings
    if (socket === undefined) return {}
    return { NOTIFY_SOCKET: socket, ...(watchdog > 0 && { WATCHDOG_USEC: `${Math.round(watchdog * 1000)}` }) }
  }

  close(): void {
    this.#watchdog.stop()
  }

  #notify(...lines: string[]): void {
    const { socket } = this.#settings
    if (socket === undefined) return
    try {
      this.#send(socket, lines.join('\n'))
    } catch {
      // The service goes on without its manager knowing how it is.
    }
  }
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').slice(0, 256)
}
