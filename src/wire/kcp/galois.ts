/** x^8 + x^4 + x^3 + x^2 + 1, the polynomial of the Reed-Solomon codes that Go's packages use. */
const POLYNOMIAL = 0x11d

const exp = new Uint8Array(510)
const log = new Uint8Array(256)
for (let i = 0, value = 1; i < 255; i++) {
  exp[i] = exp[i + 255] = value
  log[value] = i
  value <<= 1
  if (value > 255) value ^= POLYNOMIAL
}

function multiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : exp[log[a] + log[b]]
}

/** Requires that `b` is not 0. */
function divide(a: number, b: number): number {
  return a === 0 ? 0 : exp[log[a] + 255 - log[b]]
}

function power(a: number, n: number): number {
  if (n === 0) return 1
  return a === 0 ? 0 : exp[(log[a] * n) % 255]
}

/** Products by the first factor, made when first needed. */
const products: (Uint8Array | undefined)[] = []

/** Adds `factor * from[i]` to `to[i]` for each byte of `from`. */
export function addProduct(to: Uint8Array, from: Uint8Array, factor: number): void {
  if (factor === 0) return
  const table = (products[factor] ??= Uint8Array.from({ length: 256 }, (_, value) => multiply(factor, value)))
  const { length } = from
  for (let i = 0; i < length; i++) to[i] ^= table[from[i]]
}

/** Tables of `joinedProducts`, by factors. */
const joined = new Map<number, Uint32Array>()

/** A table of the products by up to four factors, in the bytes of one number, lowest first. */
export function joinedProducts(factors: readonly number[]): Uint32Array {
  const join = (values: readonly number[]): number => values.reduce((sum, value, i) => sum + value * 256 ** i, 0)
  const key = join(factors)
  let table = joined.get(key)
  if (table === undefined) {
    table = Uint32Array.from({ length: 256 }, (_, value) => join(factors.map((factor) => multiply(factor, value))))
    joined.set(key, table)
  }
  return table
}

/** Adds `table[from[i]]` to `to[i]` for each byte of `from`. */
export function addJoined(to: Uint32Array, from: Uint8Array, table: Uint32Array): void {
  const { length } = from
  for (let i = 0; i < length; i++) to[i] ^= table[from[i]]
}

type Matrix = Uint8Array[]

/** The inverse of a square matrix; undefined when it has none. `matrix` is used up. */
export function invert(matrix: Matrix): Matrix | undefined {
  const size = matrix.length
  const inverse = matrix.map((_, r) => Uint8Array.from({ length: size }, (_, c) => (r === c ? 1 : 0)))
  for (let column = 0; column < size; column++) {
    const pivot = matrix.findIndex((row, r) => r >= column && row[column] !== 0)
    if (pivot < 0) return undefined
    for (const each of [matrix, inverse]) [each[column], each[pivot]] = [each[pivot], each[column]]
    const scale = divide(1, matrix[column][column])
    for (const each of [matrix, inverse]) each[column] = each[column].map((value) => multiply(value, scale))
    for (let r = 0; r < size; r++) {
      const factor = matrix[r][column]
      if (r === column || factor === 0) continue
      for (const each of [matrix, inverse]) addProduct(each[r], each[column], factor)
    }
  }
  return inverse
}

const matrices = new Map<number, Matrix>()

/**
 * The matrix by which `data` shards become all shards: the upper part is the identity, row `data + i` makes parity `i`.
 * A Vandermonde matrix times the inverse of its upper square, as klauspost/reedsolomon makes it.
 */
export function codingMatrix(data: number, parity: number): readonly Uint8Array[] {
  const key = data * 256 + parity
  let made = matrices.get(key)
  if (made === undefined) {
    const rows = Array.from({ length: data + parity }, (_, r) => Uint8Array.from({ length: data }, (_, c) => power(r, c)))
    const top = invert(rows.slice(0, data).map((row) => row.slice())) as Matrix
    made = rows.map((row) => {
      const product = new Uint8Array(data)
      for (let c = 0; c < data; c++) addProduct(product, top[c], row[c])
      return product
    })
    matrices.set(key, made)
  }
  return made
}
