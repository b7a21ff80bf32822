import { fstatSync } from 'node:fs'
import { type Address, parseAddress } from '../address.ts'
import { loadNative } from '../native/addon.ts'
import { AcceptGate } from './gate.ts'
import { offerInherited } from './sockets.ts'

/** Variables in which a process finds the sockets that it was started with. */
export const variables = {
  /** Ours: JSON, see `Handover`. */
  own: 'DMICRO_RESTART',
  /** Variables of Go DMicro (docs/restart.md). */
  goChild: 'GRACEFUL_IS_CHILD',
  goSockets: 'GRACEFUL_INHERIT_LISTEN_PARENT_ADDR',
  /** Variables of systemd's socket activation (sd_listen_fds(3)). */
  systemd: ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID'],
} as const

/** First descriptor that systemd passes. */
const FIRST_FD = 3

/** Content of the variable `DMICRO_RESTART`. */
export interface Handover {
  /** Process id of the process before. */
  readonly pid: number
  /** Descriptor of a socket on which both processes talk. */
  readonly channel: number
  /**
   * Descriptor of a channel to the first process of the container, which lives on as long as one of its successors; -1
   * for none.
   */
  readonly guardian: number
  readonly sockets: readonly PassedSocket[]
  /** Other descriptors, which the application of the process before has passed on. */
  readonly kept: readonly number[]
}

interface PassedSocket {
  readonly fd: number
  /** Inode of the socket. It proves that the descriptor is still the one that was passed. */
  readonly inode: string
  readonly asked: string
  readonly url: string
}

/** The process whose sockets this one was given. */
type Predecessor = { readonly kind: 'dmicro'; readonly handover: Handover } | { readonly kind: 'go'; readonly pid: number }

/** Sockets and process that this one was started with. */
export interface Inheritance {
  /** Undefined for a first start. */
  readonly predecessor: Predecessor | undefined
  /** Holds back listeners on inherited sockets until the process before agrees. */
  readonly gate: AcceptGate | undefined
  /** Text about what was wrong with the variables; '' when nothing was. */
  readonly problem: string
}

let read: Inheritance | undefined

/** Reads the variables and removes them, so that programs started by this process do not take them for theirs. */
export function readInheritance(): Inheritance {
  read ??= readVariables(process.env)
  return read
}

function readVariables(env: NodeJS.ProcessEnv): Inheritance {
  const take = (name: string): string | undefined => {
    const value = env[name]
    delete env[name]
    return value
  }
  const own = take(variables.own)
  const goChild = take(variables.goChild)
  const goSockets = take(variables.goSockets)
  const [count, pid] = variables.systemd.map(take)
  try {
    const handover = own === undefined ? undefined : readOwn(own)
    if (handover !== undefined) return { predecessor: { kind: 'dmicro', handover }, gate: new AcceptGate(), problem: '' }
    if (own === undefined && goChild === 'true' && process.ppid > 1) {
      readGo(goSockets ?? '{}')
      return { predecessor: { kind: 'go', pid: process.ppid }, gate: new AcceptGate(), problem: '' }
    }
    if (Number(pid) === process.pid) readSystemd(Number(count))
    return { predecessor: undefined, gate: undefined, problem: '' }
  } catch (error) {
    return { predecessor: undefined, gate: undefined, problem: `inherited sockets are not used: ${error}` }
  }
}

/** @returns undefined when the variable was meant for another process */
function readOwn(text: string): Handover | undefined {
  const handover = JSON.parse(text) as Handover
  const mine = handover.sockets.filter(({ fd, inode }) => inodeOfDescriptor(fd) === inode)
  const isChild = inodeOfDescriptor(handover.channel) !== '' && (mine.length > 0 || process.ppid === handover.pid)
  if (!isChild) return undefined
  for (const { fd, asked, url } of mine) offerInherited({ descriptor: fd, asked, bound: parseAddress(url), ownsPath: true })
  return handover
}

/** Inode of an open socket; '' when the descriptor is none. */
export function inodeOfDescriptor(fd: number): string {
  try {
    const facts = fstatSync(fd, { bigint: true })
    return facts.isSocket() ? String(facts.ino) : ''
  } catch {
    return ''
  }
}

function readGo(text: string): void {
  const { tcp = '' } = JSON.parse(text) as { tcp?: string }
  for (const entry of tcp.split(',').filter((part) => part !== '')) {
    const mark = entry.lastIndexOf('#')
    const fd = Number(entry.slice(mark + 1))
    if (mark < 0 || inodeOfDescriptor(fd) === '') continue
    const bound = goAddress(entry.slice(0, mark))
    offerInherited({ descriptor: fd, asked: '', bound, ownsPath: true })
  }
}

/** The address that Go prints: `[::]:80`, or a path. */
function goAddress(text: string): Address {
  return parseAddress(/:\d+$/.test(text) && !text.startsWith('/') ? `tcp://${text}` : `unix://${text}`)
}

function readSystemd(count: number): void {
  const loaded = loadNative()
  if ('reason' in loaded) throw new Error(`those of systemd need the native addon: ${loaded.reason}`)
  for (let fd = FIRST_FD; fd < FIRST_FD + count; fd++) {
    const url = loaded.addon.listeningAddress(fd)
    // Datagram sockets and FIFOs are the application's.
    if (typeof url === 'string') offerInherited({ descriptor: fd, asked: '', bound: parseAddress(url), ownsPath: false })
  }
}
