import { createRequire } from 'node:module'

/**
 * llhttp, Node's own HTTP/1.1 parser, as the WebAssembly that comes with undici: a head or a chunked body is read by nothing else, and
 * always by its strict rules. It is made once for each environment, when the first connection of this protocol opens.
 *
 * All connections share one window of its memory. What is found are offsets into the message, so that no header becomes an object.
 */

/** Most header fields of one message, trailers included. */
export const MAX_FIELDS = 1000

/** Bytes parsed in one go. Many pipelined messages are copied to the parser together. */
const WINDOW = 65_536

const OK = 0
const PAUSED = 21
const INVALID_VERSION = 9

/** Offsets of the parts of a head, from the first byte of its message. */
export interface Head {
  /** Four for each field: start and end of its name, start and end of its value. Overwritten by the next head of any connection. */
  readonly fields: Int32Array
  count: number
  urlStart: number
  urlEnd: number
  status: number
  /** CONNECT, or asked to speak another protocol from here on. */
  upgrade: boolean
  /** The sender keeps the connection open after this message. */
  keepAlive: boolean
}

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  _initialize?(): void
  malloc(size: number): number
  llhttp_alloc(kind: number): number
  llhttp_free(parser: number): void
  llhttp_reset(parser: number): void
  llhttp_resume(parser: number): void
  llhttp_execute(parser: number, at: number, length: number): number
  llhttp_get_error_pos(parser: number): number
  llhttp_get_error_reason(parser: number): number
}

interface Wasm {
  Module: new (bytes: Uint8Array) => unknown
  Instance: new (module: unknown, imports: unknown) => { exports: unknown }
}

/** What a parser came to: it needs more bytes, is at the end of a head or message, or refuses what it got. */
export const Step = { More: 0, Done: 1, Failed: 2, TooManyFields: 3, Version: 4 } as const
export type Step = (typeof Step)[keyof typeof Step]

let wasm: Exports | undefined
let window = 0
let view: Buffer = Buffer.alloc(0)
/** Whose bytes are in the window, where its next message begins there (below 0: before it), and where its bytes end. */
let owner: Parsers | undefined
let cursor = 0
let filled = 0

/** The head that is being read: of one connection at a time. */
const head: Head = { fields: new Int32Array(4 * MAX_FIELDS), count: 0, urlStart: 0, urlEnd: 0, status: 0, upgrade: false, keepAlive: true }
/** An address in the window minus this is an offset in the message. */
let bias = 0
let overflow = false
let body: ((bytes: Buffer) => boolean) | undefined

/** The two parsers of a connection, since requests and responses may come on it by turns. */
export class Parsers {
  readonly head: Readonly<Head> = head
  /** Bytes of the message that were given to the parser. */
  fed = 0
  #request = 0
  #response = 0
  #parser = 0
  /** What is known of a head that came in part: another connection may use `head` before it goes on. */
  #parted: Int32Array | undefined

  /** Makes ready for a new message. */
  begin(response: boolean): void {
    wasm ??= instantiate()
    if (response) this.#parser = this.#response ||= allocate(wasm, 2)
    else this.#parser = this.#request ||= allocate(wasm, 1)
    wasm.llhttp_reset(this.#parser)
    this.fed = 0
    this.#parted = undefined
    clear()
  }

  /** Reads on in the head of the message at `bytes[start, end)`. When it is Done, `fed` is its length. */
  readHead(bytes: Buffer, start: number, end: number): Step {
    this.#restore()
    body = undefined
    const step = this.#run(bytes, start, end)
    if (step === Step.More) this.#parted = Int32Array.of(head.urlStart, head.urlEnd, ...head.fields.subarray(0, 4 * head.count))
    return step
  }

  /**
   * Reads on in a chunked body; `fed` bytes from `start` on are used up when it returns. Trailers are left out.
   * @param sink takes the bytes, borrowed, and says whether to go on
   */
  readBody(bytes: Buffer, start: number, end: number, sink: (bytes: Buffer) => boolean): Step {
    this.fed = 0
    body = sink
    return this.#run(bytes, start, end)
  }

  /** Goes on behind a head, with its body. */
  resume(): void {
    wasm!.llhttp_resume(this.#parser)
  }

  /** Says that `used` bytes are gone: what comes next is what followed them. */
  advance(used: number): void {
    if (owner === this) cursor += used
  }

  /** Why the parser refused. */
  get complaint(): string {
    const at = wasm!.llhttp_get_error_reason(this.#parser)
    return at === 0 ? '' : memory().toString('latin1', at, view.indexOf(0, at))
  }

  free(): void {
    if (this.#request !== 0) wasm!.llhttp_free(this.#request)
    if (this.#response !== 0) wasm!.llhttp_free(this.#response)
    this.#request = this.#response = this.#parser = 0
    if (owner === this) owner = undefined
  }

  #run(bytes: Buffer, start: number, end: number): Step {
    const llhttp = wasm!
    while (start + this.fed < end) {
      let length = Math.min(owner === this ? filled - cursor - this.fed : 0, end - start - this.fed)
      if (length <= 0) length = this.#fill(bytes, start + this.fed, end)
      const at = window + cursor + this.fed
      bias = window + cursor
      const code = llhttp.llhttp_execute(this.#parser, at, length)
      if (code === OK) {
        this.fed += length
        continue
      }
      this.fed = llhttp.llhttp_get_error_pos(this.#parser) - bias
      if (code === PAUSED) return Step.Done
      if (overflow) return Step.TooManyFields
      return code === INVALID_VERSION ? Step.Version : Step.Failed
    }
    return Step.More
  }

  #fill(bytes: Buffer, from: number, end: number): number {
    const length = Math.min(end - from, WINDOW)
    bytes.copy(memory(), window, from, from + length)
    owner = this
    cursor = -this.fed
    filled = length
    return length
  }

  #restore(): void {
    if (this.#parted === undefined) return
    clear()
    head.urlStart = this.#parted[0]
    head.urlEnd = this.#parted[1]
    head.fields.set(this.#parted.subarray(2))
    head.count = (this.#parted.length - 2) / 4
    this.#parted = undefined
  }
}

/** About 80 bytes. Writing behind a pointer that is 0 would go unnoticed. */
function allocate(llhttp: Exports, kind: number): number {
  const parser = llhttp.llhttp_alloc(kind)
  if (parser === 0) throw new Error('http: no memory for another parser')
  return parser
}

/** The memory of the parser, which moves when it grows. */
function memory(): Buffer {
  if (view.length === 0) view = Buffer.from(wasm!.memory.buffer)
  return view
}

function clear(): void {
  head.count = head.urlStart = head.urlEnd = head.status = 0
  overflow = false
}

function instantiate(): Exports {
  const bytes = createRequire(import.meta.url)('undici/lib/llhttp/llhttp-wasm.js') as Uint8Array
  const { Module, Instance } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly
  const llhttp = new Instance(new Module(bytes), { env: callbacks }).exports as Exports
  llhttp._initialize?.()
  window = llhttp.malloc(WINDOW)
  view = Buffer.from(llhttp.memory.buffer)
  return llhttp
}

/** A part that goes on in the next window begins where its first half ended. */
const callbacks = {
  wasm_on_message_begin: () => 0,
  wasm_on_status: () => 0,
  wasm_on_url(_parser: number, at: number, length: number): number {
    const start = at - bias
    if (start !== head.urlEnd) head.urlStart = start
    head.urlEnd = start + length
    return 0
  },
  wasm_on_header_field(_parser: number, at: number, length: number): number {
    if (body !== undefined) return 0 // a trailer
    const start = at - bias
    const { fields, count } = head
    if (count > 0 && fields[4 * count - 3] === start) {
      fields[4 * count - 3] = start + length
      return 0
    }
    if (count === MAX_FIELDS) {
      overflow = true
      return -1
    }
    head.count = count + 1
    fields[4 * count] = start
    fields[4 * count + 1] = start + length
    fields[4 * count + 2] = fields[4 * count + 3] = 0
    return 0
  },
  wasm_on_header_value(_parser: number, at: number, length: number): number {
    if (body !== undefined) return 0
    const start = at - bias
    const { fields, count } = head
    if (fields[4 * count - 1] !== start) fields[4 * count - 2] = start
    fields[4 * count - 1] = start + length
    return 0
  },
  wasm_on_headers_complete(_parser: number, status: number, upgrade: number, keepAlive: number): number {
    head.status = status
    head.upgrade = upgrade !== 0
    head.keepAlive = keepAlive !== 0
    return PAUSED
  },
  wasm_on_body(_parser: number, at: number, length: number): number {
    return body!(view.subarray(at, at + length)) ? 0 : -1
  },
  wasm_on_message_complete: () => PAUSED,
}
