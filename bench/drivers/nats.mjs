import { spawn } from 'node:child_process'
import { accessSync, constants, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { connect } from '@nats-io/transport-node'

export const label = 'NATS request-reply'
export const payloads = ['json']

const BROKER = 'nats-server'
const START_MS = 10_000

const executable = (file) => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
// Debian puts it in /usr/sbin, which not every user's PATH has.
const broker = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'].map((folder) => join(folder, BROKER)).find(executable)
if (broker === undefined) throw new Error(`${BROKER} is not installed (Debian: nats-server)`)

export async function serve({ port }) {
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-bench-nats-'))
  // -1: a port of the system's choice, told in the ports file.
  const args = ['--addr', '127.0.0.1', '--port', port === 0 ? '-1' : String(port), '--ports_file_dir', folder]
  const child = spawn(broker, args, { stdio: 'ignore' })
  let closing = false
  child.on('exit', () => {
    if (!closing) throw new Error(`${BROKER} ended`)
  })
  const close = () => {
    closing = true
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const address = await brokerAddress(folder, child)
    const connection = await connect({ servers: address, noAsyncTraces: true })
    await respond(connection)
    return { address, pids: [child.pid, process.pid], close }
  } catch (error) {
    close()
    throw error
  }
}

async function brokerAddress(folder, child) {
  const file = join(folder, `${BROKER}_${child.pid}.ports`)
  for (const end = Date.now() + START_MS; Date.now() < end; await pause(10)) {
    const url = urlIn(file)
    if (url !== undefined) return new URL(url).host
  }
  throw new Error(`${BROKER} did not start within ${START_MS / 1000} s`)
}

function urlIn(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).nats[0]
  } catch {
    return undefined // not written yet
  }
}

async function respond(connection) {
  let pushes = 0
  const handle = (subject, handler) =>
    connection.subscribe(subject, {
      callback(error, message) {
        if (error) throw error
        handler(message)
      },
    })
  handle('bench.echo', (message) => message.respond(JSON.stringify(message.json())))
  handle('bench.push', (message) => {
    message.json()
    pushes++
  })
  handle('bench.pushed', (message) => message.respond(JSON.stringify(pushes)))
  await connection.flush()
}

export async function dial(address) {
  const connection = await connect({ servers: address, reconnect: false, noAsyncTraces: true })
  const request = async (subject, value) => (await connection.request(subject, JSON.stringify(value), { timeout: START_MS })).json()
  return {
    call: (value) => request('bench.echo', value),
    push: (value) => connection.publish('bench.push', JSON.stringify(value)),
    pushed: () => request('bench.pushed', null),
    close: () => connection.close(),
  }
}
