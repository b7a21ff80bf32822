import { type CompletedCommand, quoted } from './table.ts'

/** The completion for bash. Where nothing fits it completes names of files. */
export function bash(table: readonly CompletedCommand[]): string {
  const paths = table.filter(({ path }) => path.length > 0).map(({ path }) => `/${path.join('/')}`)
  const values = table.flatMap(({ path, options }) =>
    options.flatMap(({ names, value }) => {
      if (value === 'none') return []
      const pattern = names.map((name) => quoted(`/${path.join('/')} ${name}`)).join('|')
      const reply = Array.isArray(value) ? `COMPREPLY=($(compgen -W ${quoted(value.join(' '))} -- "$current"))` : ':'
      return [`    ${pattern}) ${reply}; return ;;`]
    }),
  )
  const items = table.map(({ path, commands, words, takesFile, options }) => {
    const names = options.flatMap(({ names: [name] }) => name)
    const rest = [...commands.map(([name]) => name), ...words]
    return `    ${quoted(`/${path.join('/')}`)}) options=${quoted(names.join(' '))} words=${quoted(rest.join(' '))} files=${takesFile ? 1 : 0} ;;`
  })
  return `# Completion of dmctl for bash.
_dmctl() {
  local current=\${COMP_WORDS[COMP_CWORD]} at=/ next options= words= files=0 i file
  for ((i = 1; i < COMP_CWORD; i++)); do
    next=\${at%/}/\${COMP_WORDS[i]}
    case $next in
    ${paths.join('|')}) at=$next ;;
    *) break ;;
    esac
  done
  case "$at \${COMP_WORDS[COMP_CWORD - 1]}" in
${values.join('\n')}
  esac
  case $at in
${items.join('\n')}
  esac
  if [[ $current == -* ]]; then words=$options files=0; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  # Beside words; without any, bash itself completes files.
  if [[ $files == 1 && \${#COMPREPLY[@]} -gt 0 ]]; then
    compopt -o filenames 2> /dev/null
    while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "$current")
  fi
}
complete -o default -F _dmctl dmctl`
}
