// A file of its own, because contracts need nothing else of Node.js.

/**
 * `node:path`, for names of routes that begin with `/`: removes what is empty, `.`, or goes up again, and, unlike
 * Node's, a `/` at the end, which no route has.
 */
export const posix = {
  normalize(path: string): string {
    const kept: string[] = []
    for (const part of path.split('/')) {
      if (part === '..') kept.pop()
      else if (part !== '' && part !== '.') kept.push(part)
    }
    return `/${kept.join('/')}`
  },
}
