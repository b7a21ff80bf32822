import { reasonOf } from '../../base/errors/error-text.ts'
import { CommandError, Exit } from '../failure.ts'
import type { ProtoVersion } from '../gen/contracts.ts'
import { loadProto } from '../gen/load.ts'
import { modelOf } from '../gen/model.ts'
import { ProtoError } from '../gen/source.ts'

/**
 * Reads a .proto file that a command was given.
 *
 * @throws CommandError for what is wrong in one of the files, with its place
 */
export async function readProto(proto: string, include: readonly string[]): Promise<ProtoVersion> {
  try {
    const loaded = await loadProto(proto, include)
    return { loaded, model: modelOf(loaded) }
  } catch (error) {
    if (!(error instanceof ProtoError))
      throw error instanceof CommandError ? error : new CommandError(Exit.BadFile, `${proto}: ${reasonOf(error)}`)
    const { file, place, text, message } = error
    throw new CommandError(Exit.BadFile, message, { file, ...place, problem: text })
  }
}
