import { realClock } from '../../base/time/clock.ts'
import { sleep } from '../../base/time/sleep.ts'
import type { Session } from '../../session/session.ts'
import type { ServerCommands } from '../ctl/commands.ts'
import { entryText, type LogFilter } from '../ctl/log-entry.ts'
import { type LogBatch, LogStream } from '../ctl/log-stream.ts'
import { GO_CLIENT_LINES, GO_SERVER_LINES, LOG_LINES } from './routes.ts'

/** The clients that follow the log, each with a filter of its own. */
export class LogReaders {
  readonly #commands: Pick<ServerCommands, 'followLog'>
  readonly #streams = new Map<Session, LogStream>()

  constructor(commands: Pick<ServerCommands, 'followLog'>) {
    this.#commands = commands
  }

  /**
   * Sends batches as calls: the next one when the client has answered the last, however long that takes. The first one
   * waits for `start` of the stream.
   */
  open(session: Session, filter: LogFilter): LogStream {
    return this.#open(session, filter, async (batch) => {
      await session.call(LOG_LINES, batch, { timeout: 0 })
    })
  }

  /**
   * Sends lines as Go's servers do. A push has no answer, so what the client has not taken waits in the session; beyond
   * its bound lines are lost.
   */
  openGo(session: Session, filter: LogFilter): void {
    let lost = 0
    const push = async (text: string): Promise<void> => {
      const bytes = Buffer.from(`${text}\n`)
      // Go's own client registers the one name, and Go's server pushes to the other.
      await session.push(GO_CLIENT_LINES, bytes)
      await session.push(GO_SERVER_LINES, bytes)
    }
    const stream = this.#open(session, filter, async (batch) => {
      for (const item of batch) {
        try {
          if (lost > 0) await push(`${lost} lines were lost`)
          lost = 0
          if ('lost' in item) lost += item.lost
          else await push(entryText(item))
        } catch (error) {
          if (!session.isOpen) throw error
          lost++
        }
      }
    })
    stream.start()
  }

  /** Waits until all readers have taken what was logged so far, at most this many milliseconds. */
  async flush(ms: number): Promise<void> {
    const taken = Promise.all([...this.#streams.values()].map((stream) => stream.taken()))
    const late = new AbortController()
    await Promise.race([taken, sleep(realClock, ms, late.signal).catch(() => {})])
    late.abort()
  }

  close(session: Session): void {
    this.#streams.get(session)?.end()
  }

  #open(session: Session, filter: LogFilter, send: (batch: LogBatch) => Promise<void>): LogStream {
    this.close(session)
    let end = (): void => {}
    const onClose = (): void => stream.end()
    const stream = new LogStream(send, () => {
      end()
      session.off('close', onClose)
      if (this.#streams.get(session) === stream) this.#streams.delete(session)
    })
    this.#streams.set(session, stream)
    session.on('close', onClose)
    end = this.#commands.followLog(filter, (entry) => stream.add(entry))
    return stream
  }
}
