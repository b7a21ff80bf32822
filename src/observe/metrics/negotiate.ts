import type { Format } from './page-text.ts'

/**
 * Chooses the format of a page by the q values of the header `Accept`: OpenMetrics where it is asked for by name and at
 * least as much as text.
 */
export function chooseFormat(accept: string | undefined): Format {
  let open = 0
  let text = 0
  for (const range of (accept ?? '').split(',')) {
    const [type, ...rest] = range.split(';').map((part) => part.trim().toLowerCase())
    const parameters = new Map(rest.map((part) => part.split('=', 2).map((side) => side.trim().replace(/^"|"$/g, '')) as [string, string]))
    const version = parameters.get('version')
    const q = quality(parameters.get('q'))
    if (type === 'application/openmetrics-text' && (version === undefined || version === '1.0.0')) open = Math.max(open, q)
    else if (type === 'text/plain' && (version === undefined || version === '0.0.4')) text = Math.max(text, q)
    else if (type === 'text/*' || type === '*/*') text = Math.max(text, q)
  }
  return open > 0 && open >= text ? 'openmetrics' : 'text'
}

/** Whether the header `Accept-Encoding` offers gzip. */
export function acceptsGzip(header: string | undefined): boolean {
  return (header ?? '').split(',').some((part) => {
    const [name, ...rest] = part.split(';').map((side) => side.trim().toLowerCase())
    return name === 'gzip' && quality(rest.find((side) => side.startsWith('q='))?.slice(2)) > 0
  })
}

function quality(text: string | undefined): number {
  if (text === undefined) return 1
  const q = Number(text)
  return q >= 0 && q <= 1 ? q : 0
}
