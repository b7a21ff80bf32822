import { reasonOf } from '../../base/errors/error-text.ts'
import { realClock } from '../../base/time/clock.ts'
import { parseAddress } from '../../transports/address.ts'
import { readInheritance } from '../../transports/handover/environment.ts'
import { takeInherited } from '../../transports/handover/sockets.ts'
import { ChildOutput } from '../ctl/child-output.ts'
import type { ProcessInfo, SandboxInfo, StopKind } from '../ctl/commands.ts'
import { MAX_KEPT } from '../ctl/kept-lines.ts'
import { type LogEntry, type LogFilter, matches } from '../ctl/log-entry.ts'
import type { LogHub } from '../ctl/log-hub.ts'
import type { ServerSettings } from '../options.ts'
import { startOrder } from '../sandbox/order.ts'
import type { SandboxRunner } from '../sandbox/runner.ts'
import type { SandboxState } from '../sandbox/sandbox.ts'
import type { Sandboxes } from '../sandbox/sandboxes.ts'
import { within } from '../sandbox/time-limit.ts'
import { UnknownNameError } from '../sandbox/unknown-name.ts'
import type { ServiceSettings } from '../server-parts.ts'
import type { Child } from '../supervisor/child.ts'
import type { SupervisedProcess } from '../supervisor/process.ts'
import type { ListenerOptions } from '../supervisor/process-options.ts'
import { ProcessState, stateName } from '../supervisor/state.ts'
import { Supervisor } from '../supervisor/supervisor.ts'
import { CommandError, ExitCode } from './exit-code.ts'
import {
  type Answer,
  FAILED_TYPE,
  type FailedMessage,
  LOG_TYPE,
  type LogMessage,
  MESSAGE_TYPE,
  type Question,
  READY_TYPE,
  roleVariable,
} from './messages.ts'
import type { Model } from './model.ts'

/** Milliseconds that a process has to answer a question, beyond the time that the answer itself may take. */
const ANSWER_MS = 2000
/** Milliseconds beyond its time after which a process that stops is killed. */
export const KILL_AFTER_MS = 2000
/** Milliseconds in which what waited for those that were killed stops. */
const AFTER_KILL_MS = 500

/** A process for each service, which this process, the master, starts and watches. It runs no sandbox itself. */
export class MultiModel implements Model {
  readonly #sandboxes: Sandboxes
  readonly #settings: ServerSettings
  readonly #supervisor: Supervisor
  readonly #log: LogHub
  readonly #services: string[]
  readonly #started: ReadonlySet<string>
  readonly #questions = new Map<number, { pid: number; settle: (answer: Answer) => void }>()
  /** Output of children by pid. */
  readonly #outputs = new Map<number, ChildOutput>()
  #lastQuestion = 0
  /** Number of reloads that are under way. */
  #reloads = 0
  #isStopping = false
  /** Why processes could not start, as the last of each said it, by the name of the process. */
  readonly #reasons = new Map<string, FailedMessage>()

  /**
   * @param chosen sandboxes that start with the server
   * @throws Error when services depend on each other in a circle, or cannot listen as declared
   */
  constructor(
    sandboxes: Sandboxes,
    chosen: readonly SandboxRunner[],
    services: ReadonlyMap<string, ServiceSettings>,
    settings: ServerSettings,
    log: LogHub,
  ) {
    this.#sandboxes = sandboxes
    this.#settings = settings
    this.#log = log
    this.#supervisor = new Supervisor({ log })
    this.#supervisor.onChild = (child) => this.#readOutput(child)
    // The one that was replaced is not asked for its log any more.
    this.#supervisor.events.on('process.reloaded', ({ data: { oldPid } }) => this.#outputs.get(oldPid)?.release())
    const all = [...new Set(sandboxes.all().map(({ serviceName }) => serviceName))]
    this.#services = serviceOrder(all, sandboxes)
    this.#started = new Set(chosen.map(({ serviceName }) => serviceName))
    for (const service of this.#services) this.#add(service, chosen, services.get(service) ?? { instances: 1, listen: [] })
    this.#supervisor.events.on('process.message', ({ data: { name, pid, message } }) => this.#onMessage(name, pid, message))
    log.onMask = () => void this.setLogging()
    const onNew = (): void => {
      if (log.mask !== 0 || log.isDebugging) void this.setLogging()
    }
    for (const event of ['process.running', 'process.reloaded'] as const) this.#supervisor.events.on(event, onNew)
    this.#supervisor.events.on('process.exited', ({ data: { name, exitStatus, signal } }) =>
      log.warn('a process ended', { service: name, exit: exitStatus, signal }),
    )
  }

  #add(service: string, chosen: readonly SandboxRunner[], { instances, listen }: ServiceSettings): void {
    const { setupTimeout, stopTimeout, quitTimeout } = this.#settings
    const own = this.#sandboxes.all().filter(({ serviceName }) => serviceName === service)
    const wanted = chosen.filter(({ serviceName }) => serviceName === service)
    const names = (wanted.length === 0 ? own : wanted).map(({ name }) => name)
    this.#supervisor.add({
      name: service,
      command: process.execPath,
      args: [...process.execArgv, ...process.argv.slice(1)],
      environment: roleVariable({ service, names }),
      instances,
      ipc: true,
      listen: listen.map(listenerOf),
      ready: { message: READY_TYPE },
      // Setups of sandboxes that depend on each other follow one another.
      readyTimeout: setupTimeout * own.length + ANSWER_MS,
      autoStart: this.#started.has(service),
      dependsOn: dependenciesOf(service, this.#sandboxes).filter((other) => this.#started.has(other)),
      stopSignals: ['SIGTERM'],
      stopTime: Math.max(stopTimeout, quitTimeout) + KILL_AFTER_MS,
      stdout: '/dev/stdout',
      stderr: '/dev/stderr',
    })
  }

  /** Adds what a child prints to the log, so that also what it died of is found there. */
  #readOutput(child: Child): void {
    const { name, pid } = child
    const output = new ChildOutput(this.#log, name, pid)
    this.#outputs.set(pid, output)
    child.onOutput((stream, chunk) => output.write(stream, chunk))
    child.ready.then(
      () => output.ready(),
      () => {},
    )
    void child.closed.then(() => {
      output.end()
      if (this.#outputs.get(pid) === output) this.#outputs.delete(pid)
    })
  }

  start(): Promise<void> {
    return this.#withReasons(this.#supervisor.processes(), () => this.#supervisor.startAll())
  }

  async stop(timeout: number, kind: StopKind): Promise<unknown[]> {
    const end = realClock.now() + timeout + KILL_AFTER_MS
    this.#isStopping = true
    if (kind === 'stop')
      for (const each of this.#supervisor.processes()) each.sendToReplaced({ ask: 'kind', kind, type: MESSAGE_TYPE, id: 0 })
    // A reload has told processes that others take over.
    if (kind === 'quit' || this.#reloads > 0) await this.#askAll({ ask: 'kind', kind }, ANSWER_MS)
    const closed = this.#supervisor.close()
    try {
      await within(Math.ceil(end - realClock.now()), closed, 'the processes')
      return []
    } catch (error) {
      // A process that hangs would outlive the master by the time that a quit has, and hold its ports.
      const stuck = this.#supervisor.processes().filter(({ state }) => state === ProcessState.Stopping)
      await Promise.all(stuck.map((each) => each.signal('SIGKILL', { group: true })))
      await within(AFTER_KILL_MS, closed, 'the processes').catch(() => {})
      return [error]
    }
  }

  async info(): Promise<SandboxInfo[]> {
    const all = await Promise.all(
      this.#services.flatMap((service) => this.#supervisor.processes(service).map((each) => this.#infoOf(service, each))),
    )
    return all.flat()
  }

  /** The sandboxes of one process: as it says, or as the state of the process tells. */
  async #infoOf(service: string, supervised: SupervisedProcess): Promise<SandboxInfo[]> {
    const own = this.#sandboxes.all().filter(({ serviceName }) => serviceName === service)
    if (supervised.state === ProcessState.Running) {
      try {
        const { info } = await this.#ask(supervised, { ask: 'info' }, ANSWER_MS)
        return (info ?? []).map((each) => ({ ...each, service: supervised.name }))
      } catch {
        // The process hangs, or has just ended.
      }
    }
    const { description } = supervised.info()
    const state = sandboxState(supervised.state)
    return own.map(({ name }) => ({ name, service: supervised.name, state, description, pid: supervised.pid }))
  }

  async processes(): Promise<ProcessInfo[]> {
    const stats = new Map(this.#supervisor.stats().map((each) => [each.name, each]))
    return Promise.all(
      this.#supervisor.processes().map(async (supervised) => {
        const { name, pid, state } = supervised
        const { uptime = 0, memory = 0, restarts = 0 } = stats.get(name) ?? {}
        const running = state === ProcessState.Running
        // One that hangs does not tell.
        const usage = running ? (await this.#ask(supervised, { ask: 'usage' }, ANSWER_MS).catch(() => undefined))?.usage : undefined
        return { name, pid, state: stateName(state).toLowerCase(), uptime: Math.round(uptime), memory, restarts, ...usage }
      }),
    )
  }

  async setLogging(): Promise<void> {
    const { mask, isDebugging: debug } = this.#log
    await this.#askAll({ ask: 'logging', mask, debug }, ANSWER_MS)
  }

  async recentLog(filter: LogFilter, lines: number): Promise<LogEntry[]> {
    const running = this.#supervisor.processes().filter(({ state }) => state === ProcessState.Running)
    // A process does not know which instance it is, so names are compared here.
    const asked = { ask: 'recent', filter: { ...filter, names: [] }, lines: filter.names.length === 0 ? lines : MAX_KEPT } as const
    const answers = running.map(async (each) => {
      const answer = await this.#ask(each, asked, ANSWER_MS).catch(() => undefined)
      return (answer?.recent ?? []).map((entry) => ({ ...entry, process: each.name })).filter((entry) => matches(filter, entry))
    })
    return (await Promise.all(answers)).flat()
  }

  async startSandbox(name: string): Promise<void> {
    const { serviceName } = this.#find(name)
    const processes = this.#supervisor.processes(serviceName)
    const running = processes.filter(({ state }) => state === ProcessState.Running)
    if (running.length === 0) await this.#withReasons(this.#supervisor.processes(), () => this.#supervisor.start(serviceName))
    else for (const each of running) await this.#ask(each, { ask: 'start', name }, this.#settings.setupTimeout + ANSWER_MS)
  }

  async stopSandbox(name: string): Promise<void> {
    const { serviceName } = this.#find(name)
    const running = this.#supervisor.processes(serviceName).filter(({ state }) => state === ProcessState.Running)
    if (running.length === 0) throw new Error(`sandbox ${name} is not running`)
    for (const each of running) await this.#ask(each, { ask: 'stop', name }, this.#settings.stopTimeout + ANSWER_MS)
  }

  /** Replaces the processes of all services, of one, or of that of a sandbox: each new one before the old one ends. */
  async reload(name: string | undefined): Promise<void> {
    const service = name === undefined || this.#services.includes(name) ? name : this.#find(name).serviceName
    const old = this.#supervisor.processes(service)
    this.#reloads++
    try {
      await this.#askAll({ ask: 'kind', kind: 'replace' }, ANSWER_MS, old)
      const options = { readyTimeout: this.#settings.reloadTimeout }
      await this.#withReasons(old, () =>
        service === undefined ? this.#supervisor.reloadAll(options) : this.#supervisor.reload(service, options),
      )
    } catch (error) {
      if (!this.#isStopping) await this.#askAll({ ask: 'kind', kind: 'stop' }, ANSWER_MS, old)
      throw error
    } finally {
      this.#reloads--
    }
  }

  /** Runs what starts processes, and adds to its failure what those say that failed. */
  async #withReasons(processes: readonly SupervisedProcess[], run: () => Promise<void>): Promise<void> {
    for (const { name } of processes) this.#reasons.delete(name)
    try {
      await run()
    } catch (error) {
      throw withReasons(error, this.#reasons)
    }
  }

  async reloadConfig(): Promise<void> {
    await this.#askAll({ ask: 'config' }, ANSWER_MS)
  }

  #find(name: string): SandboxRunner {
    const runner = this.#sandboxes.find(name)
    if (runner === undefined) throw new UnknownNameError(`there is no sandbox or service ${JSON.stringify(name)}`)
    return runner
  }

  async #askAll(question: Question, ms: number, processes = this.#supervisor.processes()): Promise<void> {
    const running = processes.filter(({ state }) => state === ProcessState.Running)
    for (const result of await Promise.allSettled(running.map((each) => this.#ask(each, question, ms))))
      if (result.status === 'rejected') this.#log.warn('a process does not answer', { error: reasonOf(result.reason) })
  }

  async #ask(supervised: SupervisedProcess, question: Question, ms: number): Promise<Answer> {
    const id = ++this.#lastQuestion
    const { pid, name } = supervised
    const answered = new Promise<Answer>((settle) => this.#questions.set(id, { pid, settle }))
    try {
      if (!supervised.send({ ...question, type: MESSAGE_TYPE, id })) throw new Error(`the process of ${name} has ended`)
      const answer = await within(ms, answered, `the answer of ${name}`)
      if (answer.error !== undefined) throw new Error(answer.error)
      return answer
    } finally {
      this.#questions.delete(id)
    }
  }

  #onMessage(name: string, pid: number, message: unknown): void {
    const answer = Object(message) as Answer
    const question = answer.type === MESSAGE_TYPE ? this.#questions.get(answer.id) : undefined
    if (question?.pid === pid) question.settle(answer)
    const told = Object(message) as LogMessage | FailedMessage
    if (told.type === FAILED_TYPE) this.#reasons.set(name, told)
    if (told.type !== LOG_TYPE) return
    for (const line of told.lines) {
      if ('lost' in line) this.#log.warn('lines of a log were lost', { process: name, pid, lines: line.lost })
      else {
        this.#outputs.get(line.pid)?.sent(line)
        this.#log.forward({ ...line, process: name })
      }
    }
  }
}

/** The failure with what the processes have said that it names. */
function withReasons(error: unknown, reasons: ReadonlyMap<string, FailedMessage>): unknown {
  const text = (error as Error).message
  const told = [...reasons].filter(([name]) => text.includes(`process ${name} is not `))
  if (told.length === 0) return error
  const [[, { reason: first, exitCode }]] = told
  const said = told.length === 1 ? first : told.map(([name, { reason }]) => `${name}: ${reason}`).join('; ')
  // Without a cause, whose text is in the message, and would be told again.
  return new CommandError(told.every(([, each]) => each.exitCode === exitCode) ? exitCode : ExitCode.Failed, `${text}: ${said}`)
}

/** Services that the sandboxes of a service depend on. */
function dependenciesOf(service: string, sandboxes: Sandboxes): string[] {
  const own = sandboxes.all().filter(({ serviceName }) => serviceName === service)
  const names = own.flatMap(({ sandbox }) => sandbox.dependsOn).map((name) => sandboxes.find(name)?.serviceName)
  return [...new Set(names)].filter((name): name is string => name !== undefined && name !== service)
}

function serviceOrder(services: readonly string[], sandboxes: Sandboxes): string[] {
  return startOrder(
    services.map((name) => ({ name, dependsOn: dependenciesOf(name, sandboxes) })),
    'services',
  )
}

/** A listener on the socket of a service manager, if there is one for the URL, or on a new one. */
function listenerOf(url: string): ListenerOptions {
  const address = parseAddress(url)
  readInheritance()
  const given = takeInherited(address, address)
  if (given !== undefined) return { fd: given.descriptor }
  return address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port }
}

function sandboxState(state: ProcessState): SandboxState {
  if (state === ProcessState.Starting || state === ProcessState.Backoff) return 'starting'
  if (state === ProcessState.Running) return 'running'
  if (state === ProcessState.Stopping) return 'stopping'
  return state === ProcessState.Stopped ? 'stopped' : 'fatal'
}
