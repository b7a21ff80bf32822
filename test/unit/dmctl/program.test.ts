import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Command } from 'commander'
import { bash } from '../../../src/dmctl/completion/bash.ts'
import { fish } from '../../../src/dmctl/completion/fish.ts'
import { completionTable } from '../../../src/dmctl/completion/table.ts'
import { zsh } from '../../../src/dmctl/completion/zsh.ts'
import { makeProgram } from '../../../src/dmctl/program.ts'

test('the help of each command has examples', () => {
  const { commands } = makeProgram()
  assert.ok(commands.length > 8)
  for (const command of commands) {
    let text = ''
    command.configureOutput({ writeOut: (part) => void (text += part) })
    command.outputHelp()
    assert.match(text, /Examples:\n {2}\$ dmctl /, command.name())
    assert.ok(command.summary().length > 10, command.name())
    assert.doesNotMatch(text, /default: [[{]/, command.name())
  }
})

test('shells complete files for each argument and option that is one, and for no other', () => {
  const files = ['dmctl gen proto', 'dmctl gen go contract', 'dmctl new folder']
  const others = 'url route json name app words shell command'.split(' ')
  const fileOptions = ['file', 'folder', 'folder...', 'path', 'proto']
  const otherOptions = 'name ms text key=value n route... route[=json] name... level version address... domain url... name:password'.split(
    ' ',
  )
  const visit = (command: Command, path: string): void => {
    const completed = completionTable(makeProgram()).find((each) => ['dmctl', ...each.path].join(' ') === path)
    for (const argument of command.registeredArguments) {
      const isFile = files.includes(`${path} ${argument.name()}`)
      assert.ok(isFile || others.includes(argument.name()), `is ${path} <${argument.name()}> a file?`)
      assert.equal(completed?.takesFile, isFile, path)
    }
    for (const { flags, long } of command.options) {
      const [, name] = /[<[](.+)[>\]]$/.exec(flags) ?? []
      if (name === undefined) continue
      const value = completed?.options.find(({ names }) => names[0] === long)?.value
      const isFile = fileOptions.includes(name)
      assert.ok(isFile || otherOptions.includes(name), `is ${path} ${flags} a file?`)
      assert.equal(value === 'file', isFile, `${path} ${flags}`)
    }
    for (const each of command.commands) visit(each, `${path} ${each.name()}`)
  }
  visit(makeProgram(), 'dmctl')
  const table = completionTable(makeProgram())
  assert.match(bash(table), /^ {4}'\/gen\/go'\) .* files=1 ;;$/m)
  assert.match(zsh(table), /^ {4}\('\/gen\/go'\)\n.*\n.*\n {6}files=1 ;;$/m)
  assert.match(zsh(table), /^ {4}\('\/gen --against'\) _files; return ;;$/m)
  assert.match(fish(table), /^complete -c dmctl -n '__fish_seen_subcommand_from gen; and __fish_seen_subcommand_from go' -F$/m)
  assert.match(fish(table), /-l against -r -F /)
})
