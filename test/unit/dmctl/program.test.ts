import assert from 'node:assert/strict'
import { test } from 'node:test'
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
