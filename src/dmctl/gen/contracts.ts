import { none } from '../../contract/body.ts'
import { call, push } from '../../contract/method.ts'
import { defineService, type Service } from '../../contract/service.ts'
import type { MessageType } from '../../message/message-type.ts'
import { descriptorOf } from './descriptor.ts'
import { loadProto } from './load.ts'
import { modelOf } from './model.ts'

const EMPTY = '.google.protobuf.Empty'

/**
 * The services of a .proto file as contracts, those that the TypeScript made of it has.
 *
 * @throws ProtoError for what is wrong in one of the files, with its place
 */
export async function contractsOf(file: string, folders: readonly string[]): Promise<Service[]> {
  const { default: library } = await import('protobufjs')
  const loaded = await loadProto(file, folders)
  const root = library.Root.fromJSON(descriptorOf(loaded.root) as object)
  const body = (type: { fullName: string } | null): MessageType | typeof none =>
    type === null || type.fullName === EMPTY ? none : (root.lookupType(type.fullName) as unknown as MessageType)
  return modelOf(loaded).services.map(({ service, methods }) => {
    const made = methods.map(({ name, kind, method }) => {
      const docs = docsOf(method.comment?.replace(/^PUSH\b.*\n?/m, ''), method.options)
      const arg = body(method.resolvedRequestType)
      return [name, kind === 'push' ? push(arg, docs) : call(arg, body(method.resolvedResponseType), docs)] as const
    })
    return defineService(service.name, Object.fromEntries(made), docsOf(service.comment, service.options))
  })
}

function docsOf(comment: string | null | undefined, options: Record<string, unknown> | undefined): { docs?: string; deprecated?: true } {
  const docs = comment?.trim() ?? ''
  return { ...(docs === '' ? undefined : { docs }), ...(options?.deprecated === true ? { deprecated: true } : undefined) }
}
