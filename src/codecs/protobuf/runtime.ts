import { createRequire } from 'node:module'
import type protobufjs from 'protobufjs'
import type { MessageType } from '../../message-type.ts'
import { type BorrowedReader, borrowedReader } from './reader.ts'
import { type StrictWriter, strictWriter } from './writer.ts'

/** protobufjs with our reader and writer. */
export interface Runtime {
  readonly Reader: BorrowedReader
  readonly Writer: StrictWriter
  /** False for classes of another library or of a second copy of protobufjs, which know our reader as little as we know theirs. */
  owns(type: MessageType): boolean
}

let runtime: Runtime | undefined

/** Loads protobufjs when the first typed body passes: it takes 20 ms, which users of other codecs need not spend. */
export function protobufRuntime(): Runtime {
  runtime ??= load(createRequire(import.meta.url)('protobufjs/minimal.js'))
  return runtime
}

function load(library: typeof protobufjs): Runtime {
  const owned = new WeakMap<MessageType, boolean>()
  const Reader = borrowedReader(library.Reader)
  return {
    Reader,
    Writer: strictWriter(library.BufferWriter),
    owns(type) {
      let owns = owned.get(type)
      if (owns === undefined) {
        owns = readsWith(Reader, type)
        owned.set(type, owns)
      }
      return owns
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
