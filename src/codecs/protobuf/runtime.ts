import type protobufjs from 'protobufjs'
import { Lazy } from '../../base/lazy.ts'
import { lendToUsers } from '../../base/lent-memory.ts'
import type { MessageType } from '../../message/message-type.ts'
import { type BorrowedReader, borrowedReader } from './reader.ts'
import { type StrictWriter, strictWriter } from './writer.ts'

/** protobufjs with the reader and writer of this package. */
export interface Runtime {
  readonly Reader: BorrowedReader
  readonly Writer: StrictWriter
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
  return {
    Reader,
    Writer: strictWriter(library.BufferWriter),
    reads(type) {
      let reads = reading.get(type)
      if (reads === undefined) {
        reads = readsWith(Reader, type)
        reading.set(type, reads)
      }
      return reads
    },
    writes(type, message) {
      let writes = writing.get(type)
      if (writes === undefined) {
        // Other libraries have other writers: only that of protobufjs has this method.
        writes = 'ldelim' in (type as AnyMessageType).encode(message)
        writing.set(type, writes)
      }
      return writes
    },
  }
}

/**
 * Whether `type` decodes with a reader it is given. Generated code asks the reader for a tag first, older code for a
 * uint32.
 */
function readsWith(Reader: BorrowedReader, type: MessageType): boolean {
  const reader = new Reader(Buffer.alloc(1), 0, 1)
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
