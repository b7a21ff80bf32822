import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { transports } from '../../support/helpers.ts'
import { run } from '../support/processes.ts'
import { suite } from '../support/suite.ts'
import { conformanceRunner } from './runner.ts'

const here = import.meta.dirname

await suite('Conformance tests of protobuf', conformanceRunner, ({ command: [command, ...args], include }) => {
  for (const transport of transports) {
    it(`binary messages of proto2 and proto3, required and recommended (${transport})`, async (t) => {
      const folder = await mkdtemp(join(tmpdir(), 'dmicro-conformance-'))
      t.after(() => rm(folder, { recursive: true }))
      const testee = join(folder, 'testee')
      const words = [process.execPath, '--import', 'tsx', join(here, 'testee.ts'), include, transport]
      await writeFile(testee, `#!/bin/sh\nexec ${words.map((word) => `'${word}'`).join(' ')}\n`)
      await chmod(testee, 0o755)
      const options = ['--enforce_recommended', '--output_dir', folder, '--failure_list', join(here, 'known-failures.txt')]
      const { code, stdout, stderr } = await run(command, [...args, ...options, testee], { cwd: here })
      const [, passed, known, unexpected] =
        /SUITE \w+: (\d+) successes, \d+ skipped, (\d+) expected failures, (\d+) unexpected/.exec(stderr) ?? []
      assert.deepEqual([passed, known, unexpected, code], ['1393', '8', '0', 0], `${stdout}${stderr}`)
    })
  }
})
