import { duration, flag, optionNames, requireOptions, whole } from '../../../base/check-options.ts'
import { bytesOf } from '../sizes.ts'

/** Receives output of a process as it comes, not cut into lines. */
export type LogSink = (chunk: Buffer) => void

/** Where the output of a stream goes. */
export interface LogOptions {
  /**
   * Targets: paths of files, `/dev/stdout`, `/dev/stderr`, `/dev/null`, `syslog`, `syslog@[tcp:|udp:]host[:port]`, and
   * functions; several as a list, or as text with commas. The first that can be read answers `read` and `readTail`. In
   * a path `{name}` stands for the name of the process, `{instance}` for the number of the instance.
   */
  to: string | LogSink | readonly (string | LogSink)[]
  /** Size at which a file is rotated, in bytes or as `'10MB'`; 0: no limit. Default: 50 MiB. */
  maxBytes?: number | string | undefined
  /** Number of rotated files that are kept: `file.1` is the newest. Default: 10. */
  backups?: number | undefined
  /**
   * Milliseconds after which a file is rotated: 86,400,000 rotates with the first output of a new day, UTC. 0: not by
   * time. Default: 0.
   */
  rotateEvery?: number | undefined
  /** Whether each line begins with its time, ISO 8601. Default: false. */
  timestamps?: boolean | undefined
}

/** Checked options with their defaults. */
export interface LogSettings {
  readonly targets: readonly (string | LogSink)[]
  readonly maxBytes: number
  readonly backups: number
  readonly rotateEvery: number
  readonly timestamps: boolean
}

const known = optionNames<LogOptions>({ to: true, maxBytes: true, backups: true, rotateEvery: true, timestamps: true })

/** @throws TypeError or RangeError for bad options */
export function readLogOptions(name: string, options: string | LogOptions | undefined): LogSettings {
  const given: LogOptions = options === undefined ? { to: '' } : typeof options === 'string' ? { to: options } : options
  requireOptions(`option ${name}`, given, known, `${name}.`)
  return {
    targets: (Array.isArray(given.to) ? given.to : [given.to]).flatMap((target: unknown) => readTarget(`${name}.to`, target)),
    maxBytes: given.maxBytes === undefined ? 50 * 2 ** 20 : bytesOf(`${name}.maxBytes`, given.maxBytes),
    backups: whole(`${name}.backups`, given.backups ?? 10, 0, 10_000),
    rotateEvery: duration(`${name}.rotateEvery`, given.rotateEvery, 0, 0),
    timestamps: flag(`${name}.timestamps`, given.timestamps, false),
  }
}

function readTarget(name: string, target: unknown): (string | LogSink)[] {
  if (typeof target === 'function') return [target as LogSink]
  if (typeof target !== 'string' || target.includes('\0'))
    throw new TypeError(`option ${name} must be a path, syslog, a function, or a list of them`)
  return target
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '' && each !== '/dev/null')
}

/** A syslog target. */
export interface SyslogAddress {
  /** `''` for the syslog of this machine. */
  readonly host: string
  readonly port: number
  readonly protocol: 'udp' | 'tcp'
}

/** The address in `syslog` or `syslog@[tcp:|udp:]host[:port]`; undefined for other targets. */
export function syslogAddress(target: string): SyslogAddress | undefined {
  if (target === 'syslog') return { host: '', port: 0, protocol: 'udp' }
  if (!target.startsWith('syslog@')) return undefined
  const [, , protocol = 'udp', bracketed, plain, port] =
    /^((tcp|udp):)?(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(target.slice('syslog@'.length)) ?? []
  const host = bracketed ?? plain
  if (host === undefined || Number(port ?? 1) > 65_535) throw new TypeError(`${JSON.stringify(target)} is no syslog target`)
  return { host, port: Number(port ?? (protocol === 'tcp' ? 6514 : 514)), protocol: protocol as 'udp' | 'tcp' }
}
