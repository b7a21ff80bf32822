// A byte that says what it is, 3 bytes of big-endian length, then JSON. What a competent Node programmer writes by hand,
// with nothing of RPC: no names, no numbers to match, no errors, no deadlines.

export const Kind = { Call: 0, Push: 1, CountPushes: 2 }

const MAX_BODY = 2 ** 24 - 1
const SLAB = 256 * 1024

/** Returns a function to feed with chunks; it calls `onBody` with each decoded body and its kind, and keeps no chunk. */
export function frameReader(onBody) {
  let rest = null
  return (received) => {
    const chunk = rest === null ? received : Buffer.concat([rest, received])
    const end = chunk.length
    let at = 0
    while (end - at >= 4) {
      const size = (chunk[at + 1] << 16) | (chunk[at + 2] << 8) | chunk[at + 3]
      if (end - at - 4 < size) break
      onBody(JSON.parse(chunk.utf8Slice(at + 4, at + 4 + size)), chunk[at])
      at += 4 + size
    }
    rest = at === end ? null : Buffer.from(chunk.subarray(at))
  }
}

// Frames are built in slabs shared by all connections and never reused, so that a slow write cannot be overwritten
// and an ordinary one costs no allocation but its view.
let slab = Buffer.allocUnsafeSlow(SLAB)
let free = 0

/** Collects frames for one socket; `flush` writes what was added since the last flush, at once. */
export function frameWriter(socket) {
  let begin = 0
  let end = 0
  let from = slab
  return {
    add(body, kind) {
      const json = JSON.stringify(body)
      const most = 4 + json.length * 3
      if (from !== slab || end !== free || slab.length - free < most) {
        if (begin !== end) socket.write(from.subarray(begin, end))
        if (slab.length - free < most) {
          slab = Buffer.allocUnsafeSlow(Math.max(SLAB, most))
          free = 0
        }
        from = slab
        begin = end = free
      }
      const size = from.utf8Write(json, end + 4, most - 4)
      if (size > MAX_BODY) throw new Error(`frame of ${size} bytes`)
      from[end] = kind
      from[end + 1] = size >>> 16
      from[end + 2] = size >>> 8
      from[end + 3] = size
      end += 4 + size
      free = end
    },
    flush() {
      if (begin === end) return
      socket.write(from.subarray(begin, end))
      begin = end
    },
  }
}
