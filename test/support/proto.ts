import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { loadProto } from '../../src/dmctl/gen/load.ts'
import { type Model, modelOf } from '../../src/dmctl/gen/model.ts'
import { typescriptOf } from '../../src/dmctl/gen/typescript.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
mkdirSync(join(root, 'build'), { recursive: true })
const folder = mkdtempSync(join(root, 'build', 'gen-'))
process.once('exit', () => rmSync(folder, { recursive: true }))
let count = 0

export interface Generated {
  readonly model: Model
  readonly text: string
  /** Folder of the files. */
  readonly at: string
}

/**
 * Writes .proto files into a folder of their own, in this checkout so that its packages are found, and generates for the
 * first one. Errors have no folder in their message.
 */
export async function generate(files: Record<string, string>): Promise<Generated> {
  const at = join(folder, String(count++))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(at, name)), { recursive: true })
    writeFileSync(join(at, name), text)
  }
  const [main] = Object.keys(files)
  try {
    const loaded = await loadProto(join(at, main), [at])
    const model = modelOf(loaded)
    return { model, text: typescriptOf(loaded, model, main), at }
  } catch (error) {
    throw new Error((error as Error).message.replaceAll(`${at}/`, '').replaceAll(at, 'FOLDER'))
  }
}

/** The generated module of the first file. */
export async function generateModule<T>(files: Record<string, string>): Promise<T> {
  const { text, at } = await generate(files)
  const file = join(at, 'generated.ts')
  writeFileSync(file, text)
  return (await import(pathToFileURL(file).href)) as T
}

/** The message of the error that generating ends with. */
export async function generateError(files: Record<string, string>): Promise<string> {
  try {
    await generate(files)
  } catch (error) {
    return (error as Error).message
  }
  throw new Error(`no error for ${JSON.stringify(files)}`)
}
