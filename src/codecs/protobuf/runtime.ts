import type protobufjs from 'protobufjs'
import { Lazy } from '../../base/lazy.ts'
import type { MessageType } from '../../message/message-type.ts'
import { type BorrowedReader, borrowedReader } from './reader.ts'
import { type StrictWriter, strictWriter } from './writer.ts'

/** protobufjs with our reader and writer. */
export interface Runtime {
  readonly Reader: BorrowedReader
  readonly Writer: StrictWriter
  /** Whether `type` decodes with a reader of ours. Classes of another copy or version of protobufjs know only their own. */
  reads(type: MessageType): boolean
  /** Whether it encodes with a writer of ours, as classes of every protobufjs do. @throws what encoding `message` throws */
  writes(type: MessageType, message: unknown): boolean
}

export const protobufLibrary = new Lazy<typeof protobufjs>('protobufjs/minimal.js', () => import('protobufjs/minimal.js'))

let runtime: Runtime | undefined

/** Loads protobufjs when the first typed body passes: it takes 20 ms, which users of other codecs need not spend. */
export function protobufRuntime(): Runtime {
  runtime ??= load(protobufLibrary.module)
  return runtime
}

function load(library: typeof protobufjs): Runtime {
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
        // Other libraries have other writers: only protobufjs's has this method.
        writes = 'ldelim' in (type as AnyMessageType).encode(message)
        writing.set(type, writes)
      }
      return writes
    },
  }
}

/** Whether `type` decodes with the reader it is given. Generated code asks it for a tag first, older code for an uint32. */
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
