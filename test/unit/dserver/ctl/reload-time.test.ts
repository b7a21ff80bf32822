import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CtlFlags, runCtlCommand } from '../../../../src/dserver/cli/ctl-commands.ts'
import { reloadTime } from '../../../../src/dserver/cli/operate.ts'
import { Output } from '../../../../src/dserver/cli/output.ts'
import type { ControlClient } from '../../../../src/dserver/control/control-client.ts'
import { readServerOptions } from '../../../../src/dserver/options.ts'

const settings = readServerOptions({ reloadTimeout: 30_000, stopTimeout: 15_000, quitTimeout: 60_000 })

test('a reload has the time of beforeStop, of each new process and of the end of each old one', () => {
  assert.equal(reloadTime(1, settings), 15_000 + 30_000 + 10_000)
  assert.equal(reloadTime(3, settings), 15_000 + 2 * (30_000 + 62_000))
})

/** The time that `ctl reload` gives the server. */
async function timeOf(flags: Pick<CtlFlags, 'reloadTime'>, isGo = false): Promise<number> {
  const times: number[] = []
  const client = {
    isGo: async () => isGo,
    call: async () => [{}, {}, {}],
    change: async (_action: string, _name: string, timeout: number) => void times.push(timeout),
  }
  const surroundings = { untilInterrupted: async () => {}, reconnect: async () => undefined }
  const output = new Output('ctl', false)
  output.done = () => 0
  await runCtlCommand(client as unknown as ControlClient, ['reload'], { timeout: 7, ...flags }, output, surroundings)
  return times[0]
}

test('ctl reload waits as long as the processes of the server may take, or as long as it was told', async () => {
  const own = { reloadTime: (count: number) => reloadTime(count, settings) }
  assert.equal(await timeOf(own), reloadTime(3, settings))
  assert.equal(await timeOf({}), 7)
  assert.equal(await timeOf(own, true), 7)
})
