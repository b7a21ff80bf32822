import assert from 'node:assert/strict'
import { cp, mkdir, readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Place } from './place.ts'

export interface Image {
  /** The working folder of the image. */
  readonly folder: string
  readonly env: Record<string, string>
  readonly command: readonly string[]
  readonly health: readonly string[]
}

/**
 * Does what the Dockerfile of a project says, as far as it can be done without a container: each stage is a folder in place of a file
 * system, and its base image is this machine.
 */
export async function buildImage(place: Place): Promise<Image> {
  const context = place.folder
  const lines = (await readFile(join(context, 'Dockerfile'), 'utf8')).split('\n').filter((line) => line !== '')
  const ignored = (await readFile(join(context, '.dockerignore'), 'utf8')).split('\n')
  const stages = new Map<string, string>()
  let image: Image = { folder: '', env: {}, command: [], health: [] }
  for (const line of lines) {
    const [, instruction, rest] = /^([A-Z]+) (.*)$/.exec(line) ?? assert.fail(`what is ${line}?`)
    if (instruction === 'FROM') {
      const name = / AS (\w+)$/.exec(rest)?.[1] ?? 'last'
      stages.set(name, join(place.home, `image-${name}`))
      image = { folder: '', env: {}, command: [], health: [] }
    } else if (instruction === 'WORKDIR') {
      image = { ...image, folder: join([...stages.values()].at(-1) as string, rest) }
      await mkdir(image.folder, { recursive: true })
    } else if (instruction === 'COPY') await copy(rest, context, ignored, stages, image.folder)
    else if (instruction === 'RUN') {
      place.folder = image.folder
      const { code, stdout, stderr } = await place.run(rest)
      place.folder = context
      assert.equal(code, 0, `${line}\n${stdout}${stderr}`)
    } else if (instruction === 'ENV') {
      const [name, value] = rest.split('=')
      image.env[name] = value
    } else if (instruction === 'CMD') image = { ...image, command: JSON.parse(rest) }
    else if (instruction === 'HEALTHCHECK') image = { ...image, health: JSON.parse(rest.replace(/^CMD /, '')) }
    else assert.ok(instruction === 'USER' || instruction === 'EXPOSE', line)
  }
  return image
}

async function copy(
  words: string,
  context: string,
  ignored: readonly string[],
  stages: Map<string, string>,
  folder: string,
): Promise<void> {
  const [, stage, from, to] = /^(?:--from=(\w+) )?(\S+) (\S+)$/.exec(words) ?? assert.fail(`COPY ${words}`)
  if (stage !== undefined)
    return cp(join(stages.get(stage) as string, from), join(folder, to, to === './' ? basename(from) : ''), { recursive: true })
  for (const name of await readdir(context)) {
    const pattern = new RegExp(`^${from.replaceAll('.', '\\.').replaceAll('*', '.*')}$`)
    if (ignored.includes(name) || !(from === '.' || pattern.test(name))) continue
    await cp(join(context, name), join(folder, to, name), { recursive: true })
  }
}
