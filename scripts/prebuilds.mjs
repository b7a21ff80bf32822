// Builds the binaries that the package ships, prebuilds/dmicro-MACHINE/dmicro.node, with zig's compiler, which has the
// headers and libraries of every target. `npm run prebuilds [-- MACHINE …]`; zig comes from PyPI unless ZIG names one.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** glibc 2.28 is the oldest that Node.js 20 runs on. */
export const MACHINES = {
  'linux-x64': { target: 'x86_64-linux-gnu.2.28', processor: 'x86_64' },
  'linux-arm64': { target: 'aarch64-linux-gnu.2.28', processor: 'aarch64' },
  'linux-x64-musl': { target: 'x86_64-linux-musl', processor: 'x86_64' },
  'linux-arm64-musl': { target: 'aarch64-linux-musl', processor: 'aarch64' },
}
const ZIG = '0.17.1'
const root = fileURLToPath(new URL('..', import.meta.url))

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.chdir(root)
  const wanted = process.argv.slice(2)
  const unknown = wanted.find((machine) => !(machine in MACHINES))
  if (unknown !== undefined) throw new Error(`no machine ${unknown}: ${Object.keys(MACHINES).join(', ')}`)
  const zig = process.env.ZIG ?? installZig()
  for (const machine of wanted.length > 0 ? wanted : Object.keys(MACHINES)) build(machine, zig)
}

function build(machine, zig) {
  const { target, processor } = MACHINES[machine]
  const folder = join('build', `prebuild-${machine}`)
  const options = {
    CMAKE_BUILD_TYPE: 'Release',
    CMAKE_SYSTEM_NAME: 'Linux',
    CMAKE_SYSTEM_PROCESSOR: processor,
    CMAKE_CXX_COMPILER: zig,
    CMAKE_CXX_COMPILER_ARG1: `c++ -target ${target}`,
    CMAKE_MODULE_LINKER_FLAGS: '-s',
  }
  rmSync(folder, { recursive: true, force: true })
  run('cmake', ['-S', '.', '-B', folder, ...Object.entries(options).map(([name, value]) => `-D${name}=${value}`)])
  run('cmake', ['--build', folder, '--parallel'])
  const to = join('prebuilds', `dmicro-${machine}`)
  mkdirSync(to, { recursive: true })
  copyFileSync(join(folder, 'dmicro.node'), join(to, 'dmicro.node'))
  console.log(`${to}/dmicro.node: ${statSync(join(to, 'dmicro.node')).size} bytes`)
}

/** Runs a command; its output is shown only when it fails. */
export function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', ...options })
  if (status === 0) return stdout
  throw new Error(`${[command, ...args].join(' ')}:\n${error?.message ?? ''}${stdout}${stderr}`)
}

/** A virtual environment of Python with these packages. */
export function pythonPackages(name, ...packages) {
  const folder = join(root, '.cache', name)
  if (!existsSync(join(folder, 'ready'))) {
    run('python3', ['-m', 'venv', folder])
    if (packages.length > 0)
      run(join(folder, 'bin/python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages])
    mkdirSync(join(folder, 'ready'))
  }
  return folder
}

function installZig() {
  const python = join(pythonPackages(`zig-${ZIG}`, `ziglang==${ZIG}`), 'bin/python')
  return join(run(python, ['-c', 'import ziglang; print(ziglang.__path__[0])']).trim(), 'zig')
}
