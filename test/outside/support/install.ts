import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { run } from './processes.ts'
import { Lacking } from './suite.ts'

const cache = resolve(import.meta.dirname, '../../../.cache/outside')

/**
 * Installs what a suite's `package.json` and `package-lock.json` pin, without running any script of it.
 * @returns the folder that has `node_modules`, the same for all until the pins change
 */
export function npmPackages(suite: string): Promise<string> {
  return installed(suite, ['package.json', 'package-lock.json'], async (folder) => {
    for (const name of ['package.json', 'package-lock.json']) await cp(join(suite, name), join(folder, name))
    await must('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--no-progress'], folder)
  })
}

/**
 * Makes a virtual environment of what a suite's `requirements.txt` pins; it must list dependencies too, none is added.
 * @returns its Python
 */
export async function pythonPackages(suite: string): Promise<string> {
  const folder = await installed(suite, ['requirements.txt'], async (made) => {
    await must('python3', ['-m', 'venv', 'venv'], made)
    const options = ['--no-deps', '--disable-pip-version-check', '--quiet']
    await must(join(made, 'venv/bin/python'), ['-m', 'pip', 'install', ...options, '-r', join(suite, 'requirements.txt')], made)
  })
  return join(folder, 'venv/bin/python')
}

/**
 * Builds the Go program in `source`, whose `go.mod` and `go.sum` pin its modules.
 * @returns the binary
 */
export async function goProgram(source: string): Promise<string> {
  const folder = join(cache, `${basename(resolve(source, '..'))}-go`)
  await mkdir(folder, { recursive: true })
  const binary = join(folder, basename(source))
  const { code, stderr } = await run('go', ['build', '-o', binary, '.'], { cwd: source, timeout: 300_000 }).catch(noCommand('go'))
  if (code === 0) return binary
  if (/^\.\/\S+\.go:\d+:/m.test(stderr)) throw new Error(`${source} does not compile:\n${stderr}`)
  throw new Lacking(`go build: ${lastLine(stderr)}`)
}

/** Lets `make` fill a folder, once for the contents of these files. */
async function installed(suite: string, files: string[], make: (folder: string) => Promise<void>): Promise<string> {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`)
  for (const file of files) hash.update(await readFile(join(suite, file)))
  const name = basename(suite)
  const folder = join(cache, `${name}-${files[0].split('.')[0]}-${hash.digest('hex').slice(0, 12)}`)
  if (existsSync(join(folder, 'ready'))) return folder
  await mkdir(cache, { recursive: true })
  const old = (await readdir(cache)).filter((other) => other.startsWith(`${name}-${files[0].split('.')[0]}-`))
  for (const other of old) await rm(join(cache, other), { recursive: true, force: true })
  // Another test file may want the same at the same time: the folder is there when it is complete.
  const own = join(cache, `making-${process.pid}-${basename(folder)}`)
  await mkdir(own)
  await make(own)
  await mkdir(join(own, 'ready'))
  await rename(own, folder).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    await rm(own, { recursive: true })
  })
  return folder
}

async function must(command: string, args: string[], cwd: string): Promise<void> {
  const { code, stdout, stderr } = await run(command, args, { cwd, timeout: 300_000 }).catch(noCommand(command))
  if (code === 0) return
  const output = `${command} ${args.slice(0, 3).join(' ')} ended with ${code}:\n${stderr || stdout}`
  // What is pinned wrongly is our mistake, wherever it is tried.
  if (/EUSAGE|EINTEGRITY|ETARGET|No matching distribution|hashes/.test(output)) throw new Error(output)
  throw new Lacking(output.trim().split('\n').slice(0, 4).join(' '))
}

function noCommand(command: string) {
  return (error: NodeJS.ErrnoException): never => {
    throw error.code === 'ENOENT' ? new Lacking(`no ${command}`) : error
  }
}

function lastLine(output: string): string {
  return output.trim().split('\n').at(-1) ?? ''
}
