import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { npmPackages, pythonPackages } from '../support/install.ts'
import { type Ended, run } from '../support/processes.ts'
import { needCommands } from '../support/suite.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
export const protos = join(import.meta.dirname, 'protos')

/** Runs the plugin on files of `from`. The generated ones go to `out`, all in one folder. */
export type Generate = (from: string, out: string, files: readonly string[], parameters?: string) => Promise<Ended>

export interface Tools {
  /** A Python with protobuf and its own protoc. */
  readonly python: string
  readonly dmctl: Generate
  readonly protocs: Readonly<Record<'protoc of Debian' | 'protoc of Python' | 'buf', Generate>>
  /** A folder of this checkout, in whose files its packages are found. */
  folder(): string
}

export async function tools(): Promise<Tools> {
  needCommands({ protoc: 'protobuf-compiler' })
  const [python, packages] = await Promise.all([pythonPackages(import.meta.dirname), npmPackages(import.meta.dirname)])
  mkdirSync(join(root, 'build'), { recursive: true })
  const folder = (): string => mkdtempSync(join(root, 'build', 'protoc-'))
  const home = folder()
  process.once('exit', () => rmSync(home, { recursive: true }))
  const plugin = join(home, 'protoc-gen-dmicro')
  writeFileSync(plugin, `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'dist/dmctl/protoc/index.js')}' "$@"\n`)
  chmodSync(plugin, 0o755)
  const script = 'import grpc_tools, os; print(os.path.join(os.path.dirname(grpc_tools.__file__), "_proto"))'
  const common = (await run(python, ['-c', script])).stdout.trim()
  const options = (from: string, out: string, parameters: string): string[] => [
    `--plugin=protoc-gen-dmicro=${plugin}`,
    ...[`--dmicro_out=${out}`, `--dmicro_opt=${parameters}`, '-I', from, '-I', common],
  ]
  return {
    python,
    folder,
    dmctl: (from, out, files) =>
      run(process.execPath, [join(root, 'dist/dmctl/index.js'), 'gen', ...files, '-I', '.', '-o', out, '--no-skeleton'], { cwd: from }),
    protocs: {
      'protoc of Debian': (from, out, files, parameters = 'paths=flat') => run('protoc', [...options(from, out, parameters), ...files]),
      'protoc of Python': (from, out, files, parameters = 'paths=flat') =>
        run(python, ['-m', 'grpc_tools.protoc', ...options(from, out, parameters), ...files]),
      buf: (from, out, files, parameters = 'paths=flat') => {
        const template = JSON.stringify({ version: 'v2', plugins: [{ local: plugin, out, opt: parameters }] })
        const paths = files.flatMap((file) => ['--path', file])
        const env = { ...process.env, BUF_CACHE_DIR: join(home, 'cache') }
        return run(join(packages, 'node_modules/.bin/buf'), ['generate', '--template', template, ...paths], { cwd: from, env })
      },
    },
  }
}

/** Writes the descriptors of a file and its imports, as hexadecimal digits. */
export async function descriptors(python: string, file: string, folder: string): Promise<string> {
  const script = `import sys
from grpc_tools import protoc
import grpc_tools, os
common = os.path.join(os.path.dirname(grpc_tools.__file__), "_proto")
code = protoc.main(["", "-I", sys.argv[1], "-I", common, "--include_imports", "--descriptor_set_out=" + sys.argv[3], sys.argv[2]])
print(open(sys.argv[3], "rb").read().hex())
sys.exit(code)`
  const { code, stdout, stderr } = await run(python, ['-c', script, protos, file, join(folder, 'set')])
  if (code !== 0) throw new Error(stderr)
  return stdout.trim()
}
