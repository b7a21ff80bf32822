import { addJoined, addProduct, codingMatrix, invert, joinedProducts } from './galois.ts'
import { distance, MAX_DATAGRAM } from './segment.ts'

/** Bytes of a data shard's header: id u32, type u16, and the size of what follows with itself, u16. */
export const FEC_HEADER = 8
/** Bytes of the header that parity does not cover. */
const UNCOVERED = 6
/** The two types, as bytes 4 and 5 have them; no segment has these there. */
export const TYPE_DATA = 0xf1
export const TYPE_PARITY = 0xf2

/** Parity is sent when the last two data shards of a group are closer together than this many milliseconds. */
const MAX_LATENCY = 500
/** Rows of parity whose sums are in one number. */
const ROWS = 4
const none32 = new Uint32Array(0)
/** Groups that are kept besides the newest. */
const OLDER_GROUPS = 2

/** Number of groups after which ids begin again. */
function groupsOf(shards: number): number {
  return Math.floor(0xffff_ffff / shards)
}

/** Puts headers before datagrams, and makes parity of them (Reed-Solomon, as kcp-go's). */
export class FecEncoder {
  readonly #data: number
  readonly #parity: number
  readonly #matrix: readonly Uint8Array[]
  readonly #end: number
  /** By column and sum, made when first needed. */
  readonly #tables: Uint32Array[] = []
  #id = 0
  #count = 0
  #longest = 0
  /** Time of the last data shard; undefined before the first. */
  #latest: number | undefined
  /** Sums for the parity of the group, from the size field on: of four rows each, one in each byte of a number. */
  readonly #sums: Uint32Array[]

  constructor(data: number, parity: number) {
    this.#data = data
    this.#parity = parity
    this.#matrix = codingMatrix(data, parity)
    this.#end = groupsOf(data + parity) * (data + parity)
    this.#sums = Array.from({ length: Math.ceil(parity / ROWS) }, () => none32)
  }

  /**
   * Writes the header of a datagram, for which it has `FEC_HEADER` bytes of room at the front.
   * @returns parity datagrams that follow it
   */
  seal(datagram: Buffer, now: number): Buffer[] {
    this.#writeId(datagram, TYPE_DATA)
    datagram.writeUInt16LE(datagram.length - UNCOVERED, UNCOVERED)
    const covered = datagram.subarray(UNCOVERED)
    this.#longest = Math.max(this.#longest, covered.length)
    for (let i = 0; i < this.#sums.length; i++) {
      if (this.#sums[i].length < covered.length) this.#sums[i] = grown(this.#sums[i], covered.length)
      addJoined(this.#sums[i], covered, this.#tableOf(this.#count, i))
    }
    const continuous = this.#latest !== undefined && distance(now, this.#latest) < MAX_LATENCY
    this.#latest = now
    this.#count++
    if (this.#count < this.#data) return []
    const parity = continuous ? this.#finish() : this.#skip()
    for (const sum of this.#sums) sum.fill(0, 0, this.#longest)
    this.#count = this.#longest = 0
    return parity
  }

  /** Products for rows of parity from `sum * ROWS` on. */
  #tableOf(column: number, sum: number): Uint32Array {
    const at = column * this.#sums.length + sum
    let table = this.#tables[at]
    if (table === undefined) {
      const first = this.#data + sum * ROWS
      const factors = this.#matrix.slice(first, first + ROWS).map((row) => row[column])
      this.#tables[at] = table = joinedProducts(factors)
    }
    return table
  }

  #finish(): Buffer[] {
    return Array.from({ length: this.#parity }, (_, row) => {
      const datagram = Buffer.allocUnsafe(UNCOVERED + this.#longest)
      this.#writeId(datagram, TYPE_PARITY)
      const sum = this.#sums[row >> 2]
      const shift = (row & 3) * 8
      for (let i = 0; i < this.#longest; i++) datagram[UNCOVERED + i] = sum[i] >>> shift
      return datagram
    })
  }

  /** Late parity is of no use, but ids keep their places in the groups. */
  #skip(): Buffer[] {
    this.#id = (this.#id + this.#parity) % this.#end
    return []
  }

  #writeId(datagram: Buffer, type: number): void {
    datagram.writeUInt32LE(this.#id, 0)
    datagram.writeUInt16LE(type, 4)
    this.#id = (this.#id + 1) % this.#end
  }
}

function grown(sum: Uint32Array, length: number): Uint32Array {
  const made = new Uint32Array(Math.ceil(length / 64) * 64)
  made.set(sum)
  return made
}

/** The shards of one group, from their size fields on. */
interface Group {
  readonly number: number
  shards: (Buffer | undefined)[]
  count: number
  /** Whether enough shards came: what comes later is ignored. */
  done: boolean
}

/** Repairs losses by the parity of a peer. */
export class FecDecoder {
  /** Whether the peer's shards do not come in groups of this size: nothing is repaired. */
  off = false
  readonly #data: number
  readonly #size: number
  readonly #matrix: readonly Uint8Array[]
  readonly #wrap: number
  #newest = 0
  #groups: Group[] = []

  constructor(data: number, parity: number) {
    this.#data = data
    this.#size = data + parity
    this.#matrix = codingMatrix(data, parity)
    this.#wrap = groupsOf(this.#size)
  }

  /**
   * Takes a datagram with a FEC header, whose bytes are kept.
   * @returns the data shards that are repaired now, from their size fields on
   */
  take(datagram: Buffer): readonly Buffer[] {
    if (this.off) return none
    const id = datagram.readUInt32LE(0)
    const parity = datagram[4] === TYPE_PARITY
    const place = id % this.#size
    const number = Math.floor(id / this.#size)
    if (parity !== place >= this.#data) {
      this.off = true
      this.#groups = []
      return none
    }
    const group = number < this.#wrap && datagram.length <= MAX_DATAGRAM ? this.#groupOf(number) : undefined
    if (group === undefined || group.done || group.shards[place] !== undefined) return none
    group.shards[place] = datagram.subarray(UNCOVERED)
    group.count++
    if (group.count < this.#data) return none
    const repaired = this.#repair(group.shards)
    group.done = true
    group.shards = []
    return repaired
  }

  /** The group with this number; undefined for one that is too old. */
  #groupOf(number: number): Group | undefined {
    const ahead = (number - this.#newest + this.#wrap) % this.#wrap
    if (ahead >= this.#wrap / 2) {
      if (this.#wrap - ahead > OLDER_GROUPS) return undefined
    } else if (ahead > 0) {
      this.#newest = number
      this.#groups = this.#groups.filter((group) => (number - group.number + this.#wrap) % this.#wrap <= OLDER_GROUPS)
    }
    let group = this.#groups.find((each) => each.number === number)
    if (group === undefined) {
      group = { number, shards: new Array(this.#size).fill(undefined), count: 0, done: false }
      this.#groups.push(group)
    }
    return group
  }

  #repair(shards: readonly (Buffer | undefined)[]): readonly Buffer[] {
    const places: number[] = []
    for (let place = 0; place < this.#size && places.length < this.#data; place++) if (shards[place] !== undefined) places.push(place)
    if (places[this.#data - 1] === this.#data - 1) return none
    const longest = Math.max(...shards.map((shard) => shard?.length ?? 0))
    const inverse = invert(places.map((place) => this.#matrix[place].slice()))
    const repaired: Buffer[] = []
    for (let missing = 0; missing < this.#data && inverse !== undefined; missing++) {
      if (shards[missing] !== undefined) continue
      const shard = Buffer.alloc(longest)
      places.forEach((place, i) => {
        addProduct(shard, shards[place] as Buffer, inverse[missing][i])
      })
      repaired.push(shard)
    }
    return repaired
  }
}

const none: readonly Buffer[] = []
