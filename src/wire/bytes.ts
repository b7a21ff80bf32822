/** True when `buffer[start, end)` equals `text`. */
export function spells(buffer: Uint8Array, start: number, end: number, text: Uint8Array): boolean {
  const length = text.length
  if (end - start !== length) return false
  for (let i = 0; i < length; i++) if (buffer[start + i] !== text[i]) return false
  return true
}
