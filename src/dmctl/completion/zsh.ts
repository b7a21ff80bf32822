import { type CompletedCommand, quoted } from './table.ts'

/** The completion for zsh, as a file `_dmctl` of its fpath or by `source`. */
export function zsh(table: readonly CompletedCommand[]): string {
  const paths = table.filter(({ path }) => path.length > 0).map(({ path }) => `/${path.join('/')}`)
  const values = table.flatMap(({ path, options }) =>
    options.flatMap(({ names, value }) => {
      if (value === 'none') return []
      const pattern = names.map((name) => quoted(`/${path.join('/')} ${name}`)).join('|')
      const reply = Array.isArray(value) ? `compadd -- ${value.join(' ')}` : value === 'file' ? '_files' : ':'
      return [`    (${pattern}) ${reply}; return ;;`]
    }),
  )
  const items = table.map(({ path, commands, words, takesFile, options }) => {
    const described = options.map(({ names: [name], description }) => quoted(`${name}:${description}`))
    const rest = [...commands.map(([name, summary]) => quoted(`${name}:${summary}`)), ...words]
    return `    (${quoted(`/${path.join('/')}`)})
      options=(${described.join(' ')})
      words_here=(${rest.join(' ')})
      files=${takesFile ? 1 : 0} ;;`
  })
  return `#compdef dmctl
# Completion of dmctl for zsh.
_dmctl() {
  local at=/ next i files=0
  local -a options words_here
  for ((i = 2; i < CURRENT; i++)); do
    next=\${at%/}/$words[i]
    case $next in
    (${paths.join('|')}) at=$next ;;
    (*) break ;;
    esac
  done
  case "$at $words[CURRENT-1]" in
${values.join('\n')}
  esac
  case $at in
${items.join('\n')}
  esac
  if [[ $words[CURRENT] == -* ]]; then _describe -o option options; return; fi
  local found=1
  if (( \${#words_here} )); then _describe word words_here && found=0; fi
  if (( files )); then _files && found=0; fi
  return found
}
if [[ $funcstack[1] == _dmctl ]]; then _dmctl "$@"; else compdef _dmctl dmctl; fi`
}
