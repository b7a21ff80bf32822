// Makes a checkout ready: npm packages, the native addon, the compiled TypeScript. Does only what is missing or old.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'

/** Runs a command; its output is shown only when it fails. */
function quietly(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status === 0) return true
  process.stdout.write(stdout ?? '')
  process.stderr.write(stderr || `${error?.message}\n`)
  return false
}

function has(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0
}

function install() {
  const installed = 'node_modules/.package-lock.json'
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync('package-lock.json').mtimeMs) return true
  console.log('installing npm packages')
  return quietly(npm, ['ci', '--no-audit', '--no-fund'])
}

function buildNative() {
  const compiler = process.env.CXX ?? ['c++', 'g++', 'clang++'].find(has)
  const missing = compiler === undefined ? 'C++ compiler' : has('cmake') ? undefined : 'cmake'
  if (missing !== undefined) {
    console.log(`no ${missing} found: the native transport is not built, dmicro runs on its JavaScript transport`)
    return true
  }
  console.log('building the native addon')
  return quietly(process.execPath, ['node_modules/cmake-js/bin/cmake-js', 'compile'])
}

function buildTypeScript() {
  console.log('compiling TypeScript')
  return quietly(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'])
}

if (!install() || !buildNative() || !buildTypeScript()) process.exit(1)
