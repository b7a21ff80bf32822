import { chmodSync, renameSync, rmSync } from 'node:fs'
import { reasonOf } from '../../base/errors/error-text.ts'
import { StatusError } from '../../base/errors/status.ts'
import type { Logger } from '../../base/log.ts'
import { Endpoint } from '../../endpoint/endpoint.ts'
import type { Plugin } from '../../hooks/plugin.ts'
import type { Session } from '../../session/session.ts'
import { openSockets } from '../../transports/handover/sockets.ts'
import type { ServerCommands, StopKind } from '../ctl/commands.ts'
import { goInfos } from '../ctl/go-routes.ts'
import { MAX_KEPT } from '../ctl/kept-lines.ts'
import { type LogFilter, readFilter } from '../ctl/log-entry.ts'
import { peerCredentials } from '../os/peers.ts'
import { UnknownNameError } from '../sandbox/unknown-name.ts'
import { LogReaders } from './log-readers.ts'
import { GO_FAILED, GO_NO_NAME, GO_UNKNOWN_NAME, OPERATION_FAILED, UNKNOWN_NAME } from './routes.ts'

/** Limits of clients: few of them, with short messages. Answers grow with the number of sandboxes. */
const limits = { maxMessage: 1024 * 1024, maxUnsent: 4 * 1024 * 1024, maxSessions: 64, maxRunning: 64, maxDepth: 16 }

/** Milliseconds that a server which ends leaves to those who follow its log. */
const LAST_LINES_MS = 500

/** The socket on which a server answers its operator. */
export class ControlServer {
  readonly #path: string
  readonly #endpoint: Endpoint

  readonly #readers: LogReaders

  private constructor(path: string, endpoint: Endpoint, readers: LogReaders) {
    this.#path = path
    this.#endpoint = endpoint
    this.#readers = readers
  }

  /**
   * Listens on a Unix socket that only this user may use. The socket is made under another name and then renamed, so
   * that it replaces one that was left behind, or that an earlier process of this application still serves.
   *
   * @param path in a folder that only this user may write to
   * @throws Error (rejects) of the system
   */
  static async listen(path: string, commands: ServerCommands, log: Logger): Promise<ControlServer> {
    // The JavaScript transport: commands are few, and this needs no native binary.
    const plugins = [onlyThisUser(log)]
    const endpoint = new Endpoint({ transport: 'js', protocol: 'protobuf', log, closeTimeout: 1000, limits, plugins })
    const readers = new LogReaders(commands)
    answer(endpoint, commands, readers)
    answerGo(endpoint, commands, readers)
    const temporary = `${path}.${process.pid}`
    rmSync(temporary, { force: true })
    const { url } = await endpoint.listen(`unix://${temporary}`)
    // The next process has a socket of its own.
    for (const socket of openSockets) if (socket.url === url) openSockets.delete(socket)
    try {
      chmodSync(temporary, 0o600)
      renameSync(temporary, path)
    } catch (error) {
      await endpoint.close({ timeout: 0 })
      throw error
    }
    return new ControlServer(path, endpoint, readers)
  }

  /** Closes all connections, of a process that goes on without serving. The socket may be that of another one now. */
  close(): Promise<void> {
    return this.#endpoint.close({ timeout: 0 })
  }

  /** Waits until those who follow the log have the last lines, at the end of the process. */
  flush(): Promise<void> {
    return this.#readers.flush(LAST_LINES_MS)
  }

  /** Removes the socket at the end of the process. */
  removeFile(): void {
    rmSync(this.#path, { force: true })
  }
}

/** Refuses connections of other users, except root, where the system says whose they are. */
function onlyThisUser(log: Logger): Plugin {
  return {
    name: 'control-peer',
    afterAccept: ({ socket }) => {
      const uid = peerCredentials(socket.fd)?.uid
      if (uid === undefined || uid === process.getuid?.() || uid === 0) return
      log.warn('a connection to the control socket was refused', { uid })
      throw new StatusError(403, `user ${uid} may not control this server`)
    },
  }
}

interface HandlerContext {
  readonly session: Session
}

function answer(endpoint: Endpoint, commands: ServerCommands, readers: LogReaders): void {
  const route = <Arg, Result>(name: string, handler: (arg: Arg, session: Session) => Result | Promise<Result>): void => {
    endpoint.routeCall(name, async (arg: Arg, ctx: HandlerContext) => {
      try {
        return ((await handler(arg, ctx.session)) ?? null) as Result
      } catch (error) {
        const code = error instanceof UnknownNameError ? UNKNOWN_NAME : OPERATION_FAILED
        throw new StatusError(code, reasonOf(error))
      }
    })
  }
  route('/dserver/version', () => commands.version())
  route('/dserver/info', () => commands.info())
  route('/dserver/ps', () => commands.processes())
  route('/dserver/start', (name: unknown) => commands.startSandbox(text(name)))
  route('/dserver/stop', (name: unknown) => commands.stopSandbox(text(name)))
  route('/dserver/end', (kind: StopKind) => commands.stop(kind === 'quit' ? 'quit' : 'stop'))
  route('/dserver/reload', (name: unknown) => commands.reload(name === null || name === undefined || name === '' ? undefined : text(name)))
  route('/dserver/config', () => commands.reloadConfig())
  route('/dserver/debug', (on: unknown) => commands.setDebug(on === true))
  route('/dserver/log', async (asked: LogFilter & { lines?: unknown; follow?: unknown }, session) => {
    const filter = readFilter(asked)
    const { lines, follow } = Object(asked) as { lines?: unknown; follow?: unknown }
    // Followed first, so that no line is missing between.
    const stream = follow === true ? readers.open(session, filter) : undefined
    if (stream === undefined) readers.close(session)
    const recent = await commands.recentLog(filter, Number.isInteger(lines) ? Math.min(lines as number, MAX_KEPT) : 0)
    stream?.start(recent)
    return recent
  })
}

/** Answers as a Go server does. */
function answerGo(endpoint: Endpoint, commands: ServerCommands, readers: LogReaders): void {
  const route = <Arg>(name: string, handler: (arg: Arg, session: Session) => unknown): void => {
    endpoint.routeCall(name, async (arg: Arg, ctx: HandlerContext) => {
      try {
        return (await handler(arg, ctx.session)) ?? {}
      } catch (error) {
        if (error instanceof StatusError) throw error
        throw new StatusError(error instanceof UnknownNameError ? GO_UNKNOWN_NAME : GO_FAILED, reasonOf(error))
      }
    })
  }
  const named = (name: unknown): string => {
    if (name === undefined || name === null || name === '') throw new StatusError(GO_NO_NAME, 'the name of a sandbox is missing')
    return text(name)
  }
  route('/ctl/info', async () => goInfos(await commands.info()))
  route('/ctl/start', (name: unknown) => commands.startSandbox(named(name)))
  route('/ctl/stop', (name: unknown) => commands.stopSandbox(named(name)))
  route('/ctl/reload', (name: unknown) => commands.reload(named(name)))
  route('/ctl/debug', (on: unknown) => commands.setDebug(on === true))
  route('/ctl/open_logger', (mask: unknown, session) => readers.openGo(session, readFilter({ mask })))
  route('/ctl/close_logger', (_: unknown, session) => readers.close(session))
}

function text(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new UnknownNameError('the name of a sandbox is missing')
  return value
}
