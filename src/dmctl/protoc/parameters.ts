interface Parameters {
  /** Where a file is written: beside its .proto file's name, or all in one folder. */
  readonly paths: 'source_relative' | 'flat'
}

const PATHS = ['source_relative', 'flat'] as const

/**
 * The parameters of the plugin: `name=value`, with commas between them.
 *
 * @throws Error for one that is unknown
 */
export function parametersOf(text: string): Parameters {
  let paths: Parameters['paths'] = 'source_relative'
  for (const part of text.split(',').map((each) => each.trim())) {
    if (part === '') continue
    const [name, ...rest] = part.split('=')
    const value = rest.join('=')
    if (name !== 'paths') throw new Error(`there is no parameter ${name}; there is paths`)
    const known = PATHS.find((each) => each === value)
    if (known === undefined) throw new Error(`the parameter paths is ${PATHS.join(' or ')}, got ${JSON.stringify(value)}`)
    paths = known
  }
  return { paths }
}
