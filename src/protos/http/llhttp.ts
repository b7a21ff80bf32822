import { allocate, findLlhttp, type Llhttp, loadLlhttp } from './llhttp-wasm.ts'

/**
 * llhttp, Node's own HTTP/1.1 parser, as the WebAssembly that comes with undici. It reads all heads and chunked bodies,
 * always by its strict rules. It is loaded once per environment, when an endpoint first listens or dials with this
 * protocol.
 *
 * All connections share one window of its memory. It yields offsets into the message, so headers become no objects.
 */

/** Maximum number of header fields of one message, trailers included. */
const MAX_FIELDS = 1000

/** Number of bytes parsed at once. Many pipelined messages are copied to the parser together. */
const WINDOW = 65_536

const OK = 0
const PAUSED = 21
const INVALID_VERSION = 9

const LF = 0x0a
const LETTER_X = 0x78

/** Offsets of the parts of a head, from the first byte of its message. */
export interface Head {
  /**
   * Four offsets for each field: start and end of its name, start and end of its value. Overwritten by the next head of
   * any connection.
   */
  readonly fields: Int32Array
  count: number
  urlStart: number
  urlEnd: number
  status: number
  /** Whether the request is CONNECT, or asks for another protocol. */
  upgrade: boolean
  /** Whether the sender keeps the connection open after this message. */
  keepAlive: boolean
}

/** Result of parsing: more bytes are needed, a head or message is complete, or the bytes were refused. */
export const Step = { More: 0, Done: 1, Failed: 2, TooManyFields: 3, Version: 4 } as const
export type Step = (typeof Step)[keyof typeof Step]

let wasm: Llhttp | undefined
let window = 0
let view: Buffer = Buffer.alloc(0)
/**
 * The connection whose bytes are in the window, the start of its next message there (negative: before the window), and
 * the end of its bytes.
 */
let owner: Parsers | undefined
let cursor = 0
let filled = 0

/** The head that is being read; only one connection at a time reads one. */
const head: Head = { fields: new Int32Array(4 * MAX_FIELDS), count: 0, urlStart: 0, urlEnd: 0, status: 0, upgrade: false, keepAlive: true }
/** Difference between an address in the window and the offset in the message. */
let bias = 0
let overflow = false
let body: ((bytes: Buffer) => boolean) | undefined

/** The two parsers of a connection, on which requests and responses may alternate. */
export class Parsers {
  readonly head: Readonly<Head> = head
  /** Number of bytes of the message that the parser was given. */
  fed = 0
  #request = 0
  #response = 0
  #parser = 0
  /** Whether the request line is incomplete, with its bytes beyond ASCII masked. */
  #masking = false
  /** Copy of an incomplete head, because another connection may use `head` before the rest arrives. */
  #parted: Int32Array | undefined

  /** Prepares for a new message. */
  begin(response: boolean): void {
    wasm ??= instantiate()
    if (response) this.#parser = this.#response ||= allocate(wasm, 2)
    else this.#parser = this.#request ||= allocate(wasm, 1)
    this.#masking = false
    this.#parted = undefined
    this.#reset()
  }

  /**
   * Continues to read the head of the message at `bytes[start, end)`. When the result is `Done`, `fed` is its length.
   */
  readHead(bytes: Buffer, start: number, end: number): Step {
    this.#restore()
    body = undefined
    let step = this.#run(bytes, start, end)
    if (step === Step.Failed && head.count === 0 && bytes[start + this.fed] >= 0x80) step = this.#runMasked(bytes, start, end)
    if (step === Step.More) this.#parted = Int32Array.of(head.urlStart, head.urlEnd, ...head.fields.subarray(0, 4 * head.count))
    return step
  }

  /**
   * Continues to read a chunked body; trailers are dropped. Afterwards, `fed` bytes from `start` are used up.
   *
   * @param onBytes gets the bytes, borrowed during the call, and returns whether to continue
   */
  readBody(bytes: Buffer, start: number, end: number, onBytes: (bytes: Buffer) => boolean): Step {
    this.fed = 0
    body = onBytes
    return this.#run(bytes, start, end)
  }

  /** Continues after a head, with its body. */
  resume(): void {
    wasm!.llhttp_resume(this.#parser)
  }

  /** Forgets `used` bytes: the next bytes follow them. */
  advance(used: number): void {
    if (owner === this) cursor += used
  }

  /** Why the parser refused the bytes. */
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

  /**
   * Parses from the start with a masked target, because Go sends UTF-8 unescaped (docs/spec/go-defects.md W7) and the
   * parser rejects it. Offsets do not change.
   */
  #runMasked(bytes: Buffer, start: number, end: number): Step {
    this.#reset()
    if (cursor < 0) this.#fill(bytes, start, end)
    this.#masking = !maskLine(window + cursor, window + filled)
    return this.#run(bytes, start, end)
  }

  #reset(): void {
    wasm!.llhttp_reset(this.#parser)
    this.fed = 0
    clear()
  }

  #fill(bytes: Buffer, from: number, end: number): number {
    const length = Math.min(end - from, WINDOW)
    bytes.copy(memory(), window, from, from + length)
    if (this.#masking) this.#masking = !maskLine(window, window + length)
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

/**
 * Loads the parser.
 *
 * @throws (rejects) an error that says why it cannot run here
 */
export async function prepareLlhttp(): Promise<void> {
  if (wasm !== undefined) return
  await findLlhttp()
  wasm ??= instantiate()
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

function instantiate(): Llhttp {
  const llhttp = loadLlhttp(callbacks)
  window = llhttp.malloc(WINDOW)
  view = Buffer.from(llhttp.memory.buffer)
  return llhttp
}

/**
 * Replaces each byte beyond ASCII in the window with a letter, up to a line end.
 *
 * @returns whether there is a line end
 */
function maskLine(start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = view[at]
    if (byte === LF) return true
    if (byte >= 0x80) view[at] = LETTER_X
  }
  return false
}

/** Callbacks of the parser. A part that continues in the next window keeps the start of its first half. */
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
