import type protobufjs from 'protobufjs'
import { Lazy } from '../../base/lazy.ts'
import { lendToUsers } from '../../base/lent-memory.ts'
import type { MessageType } from '../../message/message-type.ts'
import { type BorrowedReader, type BorrowedReaderClass, borrowedReader } from './reader.ts'

/** protobufjs with the reader of this package. */
interface Runtime {
  /** Returns what `decode` of `type` returns for the message in `buffer[start, end)`. Requires that `type` `reads`. */
  decode(type: AnyMessageType, buffer: Buffer, start: number, end: number): unknown
  /** Whether `type` decodes with our reader. Classes of another copy or version of protobufjs accept only their own. */
  reads(type: MessageType): boolean
  /**
   * Whether `type` encodes with our writer, as classes of every protobufjs do.
   * @throws the error of encoding `message`
   */
  writes(type: MessageType, message: unknown): boolean
}

export const protobufLibrary = new Lazy<typeof protobufjs>('protobufjs/minimal.js', () => import('protobufjs/minimal.js'))

let runtime: Runtime | undefined

/**
 * protobufjs, loaded with the first typed body, because loading takes 20 ms, which users of other codecs need not
 * spend.
 */
export function protobufRuntime(): Runtime {
  runtime ??= load(protobufLibrary.module)
  return runtime
}

function load(library: typeof protobufjs): Runtime {
  lendToUsers() // types are classes of users, which get a reader of borrowed memory
  const reading = new WeakMap<MessageType, boolean>()
  const writing = new WeakMap<MessageType, boolean>()
  const Reader = borrowedReader(library.Reader)
  let lastRead: MessageType | undefined
  let lastWritten: MessageType | undefined
  /** The reader of the last message. Taken out while in use. */
  let spare: BorrowedReader | undefined
  return {
    decode(type, buffer, start, end) {
      const reader = spare ?? new Reader(buffer)
      spare = undefined
      reader.begin(buffer, start, end)
      const message = type.decode(reader)
      spare = reader
      return message
    },
    reads(type) {
      if (type === lastRead) return true
      let reads = reading.get(type)
      if (reads === undefined) {
        reads = readsWith(Reader, type)
        reading.set(type, reads)
      }
      if (reads) lastRead = type
      return reads
    },
    writes(type, message) {
      if (type === lastWritten) return true
      let writes = writing.get(type)
      if (writes === undefined) {
        // Other libraries have other writers: only that of protobufjs has this method.
        writes = 'ldelim' in (type as AnyMessageType).encode(message)
        writing.set(type, writes)
      }
      if (writes) lastWritten = type
      return writes
    },
  }
}

/**
 * Whether `type` decodes with a reader it is given. Generated code asks the reader for a tag first, older code for a
 * uint32.
 */
function readsWith(Reader: BorrowedReaderClass, type: MessageType): boolean {
  const reader = new Reader(Buffer.alloc(1))
  const asked = new Error('asked')
  reader.tag = reader.uint32 = () => {
    throw asked
  }
  try {
    ;(type as AnyMessageType).decode(reader)
    return false
  } catch (error) {
    return error === asked
  }
}

/** A message type as protobufjs makes them. */
export interface AnyMessageType extends MessageType {
  encode(message: unknown, writer?: unknown): { finish(): Uint8Array }
  decode(from: unknown): unknown
  fromObject?(object: unknown): unknown
}
