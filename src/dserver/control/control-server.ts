import { chmodSync, renameSync, rmSync } from 'node:fs'
import { reasonOf } from '../../base/errors/error-text.ts'
import { StatusError } from '../../base/errors/status.ts'
import type { Logger } from '../../base/log.ts'
import { Endpoint } from '../../endpoint/endpoint.ts'
import { openSockets } from '../../transports/handover/sockets.ts'
import type { ServerCommands, StopKind } from '../ctl/commands.ts'
import { UnknownNameError } from '../sandbox/unknown-name.ts'
import { OPERATION_FAILED, UNKNOWN_NAME } from './routes.ts'

/** The socket on which a server answers its operator. */
export class ControlServer {
  readonly #path: string

  private constructor(path: string) {
    this.#path = path
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
    const endpoint = new Endpoint({ transport: 'js', protocol: 'protobuf', log, closeTimeout: 1000 })
    answer(endpoint, commands)
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
    return new ControlServer(path)
  }

  /** Removes the socket at the end of the process. */
  removeFile(): void {
    rmSync(this.#path, { force: true })
  }
}

function answer(endpoint: Endpoint, commands: ServerCommands): void {
  const route = <Arg, Result>(name: string, handler: (arg: Arg) => Result | Promise<Result>): void => {
    endpoint.routeCall(name, async (arg: Arg) => {
      try {
        return ((await handler(arg)) ?? null) as Result
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
}

function text(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new UnknownNameError('the name of a sandbox is missing')
  return value
}
