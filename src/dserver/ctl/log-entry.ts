import { type LogLevel, levels } from '../../base/log.ts'

/** One line of a server's log. */
export interface LogEntry {
  /** Milliseconds since 1970. */
  readonly time: number
  /** Severity of the line. */
  readonly level: LogLevel
  /** Name of the process: the application, or a service. */
  readonly process: string
  /** Id of the process that wrote it. */
  readonly pid: number
  /** Number of the line in its process; below 0 for a line that the process has printed. */
  readonly seq: number
  /** Number of the line among those of its level in its process, from 1; absent for a line that it has printed. */
  readonly nth?: number | undefined
  /** Sandbox that the line is about, where it is known. */
  readonly sandbox?: string | undefined
  /** Text and fields, without control characters. */
  readonly text: string
}

/** A place where lines are missing, because the reader was too slow, or looked for the next server. */
export interface LogGap {
  readonly lost: number
  readonly during?: 'restart' | undefined
}

/** Which lines a reader wants. */
export interface LogFilter {
  /** Bits of levels, as Go has them. */
  readonly mask: number
  /** Names of processes, services or sandboxes, without regard to case; none: all. */
  readonly names: readonly string[]
}

/** Go's bits of levels. Bits 64 (notice) and 512 (critical) are those of levels that we have not. */
export const LevelBit: Readonly<Record<LogLevel, number>> = { debug: 16, info: 32, warn: 128, error: 256 }

/** Bits of all levels of Go. */
export const ALL_LEVELS = 1008

/** Go's names of masks. */
const masks: Readonly<Record<string, number>> = {
  ALL: ALL_LEVELS,
  DEV: ALL_LEVELS,
  DEVELOP: ALL_LEVELS,
  DEBU: ALL_LEVELS,
  DEBUG: ALL_LEVELS,
  INFO: 992,
  NOTI: 960,
  NOTICE: 960,
  WARN: 896,
  WARNING: 896,
  PROD: 896,
  PRODUCT: 896,
  ERRO: 768,
  ERROR: 768,
  CRIT: 512,
  CRITICAL: 512,
}

/** The mask of a level's name, such as `WARN`: that level and all that are more severe; undefined for no name. */
export function maskOf(name: string): number | undefined {
  const upper = name.toUpperCase()
  return Object.hasOwn(masks, upper) ? masks[upper] : undefined
}

/** Names of levels, for messages. */
export const levelNames = ['ALL', 'DEBUG', 'INFO', 'WARN', 'ERROR']

export function matches(filter: LogFilter, entry: LogEntry): boolean {
  if ((filter.mask & LevelBit[entry.level]) === 0) return false
  if (filter.names.length === 0) return true
  return filter.names.some((name) => isCalled(entry.process, name) || isCalled(entry.sandbox, name))
}

/** Whether a name is this one, or that of an instance of it: `web:2` of `web`. */
function isCalled(name: string | undefined, wanted: string): boolean {
  if (name === undefined) return false
  const [own, other] = [name.toLowerCase(), wanted.toLowerCase()]
  return own === other || own.startsWith(`${other}:`)
}

/** A line for people, as Go writes it. */
export function entryText({ time, level, process, text }: LogEntry): string {
  return `${new Date(time).toISOString()} [${goLevel[level]}] ${process}: ${text}`
}

const goLevel: Readonly<Record<LogLevel, string>> = { debug: 'DEBU', info: 'INFO', warn: 'WARN', error: 'ERRO' }

/** Bytes that an entry takes on its way to a reader, about. */
export function entrySize({ text }: LogEntry): number {
  return text.length + 100
}

/**
 * Checks a filter that a client has sent.
 * @throws TypeError
 */
export function readFilter(value: unknown): LogFilter {
  const { mask = ALL_LEVELS, names = [] } = Object(value) as Partial<LogFilter>
  if (!Number.isInteger(mask) || !Array.isArray(names) || names.length > 100 || names.some((name) => typeof name !== 'string'))
    throw new TypeError('a filter of log lines needs a whole number `mask` and a list `names`')
  return { mask, names }
}

/** Whether two of the levels are in this order of severity, or the same. */
export function isAtLeast(level: LogLevel, least: LogLevel): boolean {
  return levels.indexOf(level) >= levels.indexOf(least)
}
