/** The shortest decimal that reads back as the same number, without exponent: Go's FormatFloat(value, 'f', -1, 64). */
export function fixedDecimal(value: number): string {
  const special = notANumber(value)
  if (special !== undefined) return special
  const text = `${value}`
  const mark = text.indexOf('e')
  return mark < 0 ? text : expand(text.slice(0, mark), Number(text.slice(mark + 1)))
}

/**
 * The shortest decimal that reads back as the same number, with an exponent where that is below -4 or above 5: Go's
 * FormatFloat(value, 'g', -1, 64).
 */
export function shortDecimal(value: number): string {
  const special = notANumber(value)
  if (special !== undefined) return special
  const [mantissa, exponent] = value.toExponential().split('e')
  if (Number(exponent) >= -4 && Number(exponent) < 6) return `${value}`
  return `${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`
}

function notANumber(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN'
  if (value === Infinity) return '+Inf'
  if (value === -Infinity) return '-Inf'
  return Object.is(value, -0) ? '-0' : undefined
}

/**
 * `[-]d[.ddd]` times ten to the power of `exponent`, without exponent. JavaScript writes an exponent from 1e21 up and
 * below 1e-6.
 */
function expand(mantissa: string, exponent: number): string {
  const sign = mantissa.startsWith('-') ? '-' : ''
  const digits = mantissa.replace('-', '').replace('.', '')
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  return `${sign}${digits}${'0'.repeat(exponent + 1 - digits.length)}`
}
