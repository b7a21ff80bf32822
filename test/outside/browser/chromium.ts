import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import WebSocket from 'ws'

type Answer = {
  id?: number
  method?: string
  params?: Record<string, unknown>
  sessionId?: string
  error?: { message: string }
  result?: Record<string, unknown>
}

/** Chromium without a window, driven by its DevTools protocol. */
export class Chromium {
  readonly #process: ChildProcess
  readonly #folder: string
  readonly #devTools: WebSocket
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  readonly #events = new EventEmitter()
  #calls = 0

  private constructor(process: ChildProcess, folder: string, devTools: WebSocket) {
    this.#process = process
    this.#folder = folder
    this.#devTools = devTools
    devTools.on('message', (data) => {
      const answer = JSON.parse(String(data)) as Answer
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer)
      else this.#events.emit(`${answer.sessionId} ${answer.method}`, answer.params)
    })
  }

  /** @param trusted hashes of the public keys of certificates that are trusted, SHA-256 in base64 */
  static async start(trusted: readonly string[] = []): Promise<Chromium> {
    const folder = await mkdtemp(join(tmpdir(), 'dmicro-chromium-'))
    const flags = [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--remote-debugging-port=0',
      `--user-data-dir=${folder}`,
      `--ignore-certificate-errors-spki-list=${trusted.join()}`,
    ]
    const process = spawn('chromium', [...flags, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'] })
    const url = await new Promise<string>((resolve, reject) => {
      process.once('exit', () => reject(new Error('chromium ended before it listened')))
      createInterface({ input: process.stderr! }).on('line', (line) => {
        const found = /^DevTools listening on (ws:\S+)/.exec(line)
        if (found !== null) resolve(found[1])
      })
    })
    const devTools = new WebSocket(url, { perMessageDeflate: false })
    await once(devTools, 'open')
    return new Chromium(process, folder, devTools)
  }

  async page(url: string): Promise<Page> {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true })
    const page = new Page(this, sessionId as string)
    await page.send('Page.enable')
    await page.go(url)
    return page
  }

  /** Resolves with the next event of a page. */
  event(name: string, sessionId: string): Promise<unknown> {
    return once(this.#events, `${sessionId} ${name}`)
  }

  /** Calls `listener` with each event of a page. */
  on(name: string, sessionId: string, listener: (params: Record<string, unknown>) => void): void {
    this.#events.on(`${sessionId} ${name}`, listener)
  }

  async send(method: string, params: object, sessionId?: string): Promise<Record<string, unknown>> {
    const id = ++this.#calls
    const { error, result } = await new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve)
      this.#devTools.send(JSON.stringify({ id, method, params, sessionId }))
    })
    this.#waiting.delete(id)
    if (error !== undefined) throw new Error(`${method}: ${error.message}`)
    return result!
  }

  async close(): Promise<void> {
    const gone = once(this.#process, 'exit')
    this.#devTools.terminate()
    this.#process.kill('SIGKILL')
    await gone
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

export class Page {
  readonly #browser: Chromium
  readonly #session: string

  constructor(browser: Chromium, session: string) {
    this.#browser = browser
    this.#session = session
  }

  send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    return this.#browser.send(method, params, this.#session)
  }

  /** Collects what the page complains of from now on: exceptions, errors of its console, refused loads. */
  async complaints(): Promise<string[]> {
    const all: string[] = []
    for (const name of ['Runtime.exceptionThrown', 'Runtime.consoleAPICalled', 'Log.entryAdded'])
      this.#browser.on(name, this.#session, (params) => all.push(JSON.stringify(params)))
    await this.send('Runtime.enable')
    await this.send('Log.enable')
    return all
  }

  /** A picture of the page as PNG, all of it. */
  async picture(width: number, isDark: boolean): Promise<Buffer> {
    await this.send('Emulation.setScrollbarsHidden', { hidden: true })
    await this.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: isDark ? 'dark' : 'light' }] })
    await this.send('Emulation.setDeviceMetricsOverride', { width, height: 900, deviceScaleFactor: 1, mobile: false })
    const { data } = await this.send('Page.captureScreenshot', { captureBeyondViewport: true })
    return Buffer.from(data as string, 'base64')
  }

  /** Resolves when the next document is loaded. */
  loaded(): Promise<unknown> {
    return this.#browser.event('Page.loadEventFired', this.#session)
  }

  /** Loads `url`. */
  async go(url: string): Promise<void> {
    const loaded = this.loaded()
    await this.send('Page.navigate', { url })
    await loaded
  }

  /** Goes back to the page before. One of the back/forward cache is not loaded again. */
  async back(): Promise<void> {
    const { entries, currentIndex } = (await this.send('Page.getNavigationHistory')) as { entries: { id: number }[]; currentIndex: number }
    const shown = this.#browser.event('Page.frameNavigated', this.#session)
    await this.send('Page.navigateToHistoryEntry', { entryId: entries[currentIndex - 1].id })
    await shown
  }

  /** The value of an expression in the page; a promise is waited for. */
  async value<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = (await this.send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    })) as { result: { value: T }; exceptionDetails?: { text: string; exception?: { description?: string } } }
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    return result.value
  }

  /** Waits until a condition holds, looking whenever the document changes. */
  until(condition: string): Promise<void> {
    return this.value(`new Promise((done) => {
      const look = () => { if (${condition}) { watcher.disconnect(); done() } }
      const watcher = new MutationObserver(look)
      watcher.observe(document, { subtree: true, childList: true, characterData: true })
      look()
    })`)
  }
}
