/** The prefix of Go, and the default. */
export const DEFAULT_PREFIX = '/dmicro/registry/'

/**
 * Keys of the nodes of services below one prefix, as Go makes them:
 * `<prefix>/<service>/<node id>`, with `-` for each `/` in a service or an id.
 */
export class Keys {
  /** Begins and ends with a slash. */
  readonly prefix: string

  /** @param prefix is cleaned as a path: slashes before, behind, and several in a row do not matter */
  constructor(prefix: string) {
    const parts = prefix.split('/').filter((part) => part !== '' && part !== '.')
    if (parts.includes('..')) throw new TypeError('option prefix must not have .. in it')
    this.prefix = ['', ...parts, ''].join('/')
  }

  /** @throws TypeError for a name or an id that no key can be made of */
  ofNode(service: string, id: string): string {
    return `${this.ofService(service)}${segment('id of a node', id)}`
  }

  /**
   * Beginning of the keys of a service's nodes. Services whose names differ by `/` and `-` alone share it.
   * @throws TypeError for a name that no key can be made of
   */
  ofService(service: string): string {
    return `${this.prefix}${segment('name of a service', service)}/`
  }
}

function segment(what: string, text: string): string {
  // Go would clean such a path, and so put the node elsewhere.
  if (text === '' || text === '.' || text === '..') throw new TypeError(`the ${what} must not be ${JSON.stringify(text)}`)
  return text.replaceAll('/', '-')
}

/** The end of the range of all keys that begin with `prefix`. Requires that `prefix` ends with ASCII. */
export function rangeEnd(prefix: string): Buffer {
  const end = Buffer.from(prefix)
  end[end.length - 1]++
  return end
}
