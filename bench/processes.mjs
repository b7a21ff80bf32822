// Child processes of a benchmark. Servers print one line of JSON when they are ready and end with their standard input,
// so that none outlives the runner, however that ends.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const path = (name) => fileURLToPath(new URL(name, import.meta.url))

function launch(command, args) {
  const child = spawn(String(command), args.map(String), { stdio: ['pipe', 'pipe', 'inherit'] })
  let out = ''
  let firstLine
  const ready = new Promise((resolve) => {
    firstLine = resolve
  })
  child.stdout.on('data', (data) => {
    out += data
    const end = out.indexOf('\n')
    if (end >= 0) firstLine(out.slice(0, end))
  })
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) =>
      code === 0 ? resolve(out) : reject(new Error(`${command} ${args.join(' ')} ended with ${signal ?? code}`)),
    )
  })
  return { child, ready, ended }
}

/** Starts a server; resolves to what its first line says, and a way to stop it. */
export async function startServer(command, ...args) {
  const { child, ready, ended } = launch(command, args)
  ended.catch(() => {})
  const line = await Promise.race([ready, ended.then(() => Promise.reject(new Error(`${command} ${args.join(' ')} ended early`)))])
  const stop = async () => {
    child.stdin.end()
    await ended.catch(() => {})
  }
  return { ...JSON.parse(line), stop }
}

/** Runs a program to its end; resolves to the last line it printed, as JSON. */
export async function runToEnd(command, ...args) {
  const out = await launch(command, args.map(String)).ended
  return JSON.parse(out.trim().split('\n').at(-1))
}

export const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
