import type protobufjs from 'protobufjs'
import { none } from '../../contract/body.ts'
import { call, push } from '../../contract/method.ts'
import { defineService, type Service } from '../../contract/service.ts'
import { descriptorOf } from './descriptor.ts'
import type { LoadedProto } from './load.ts'
import type { Model } from './model.ts'

/** A .proto file that was read, and the parts of it that are generated. */
export interface ProtoVersion {
  readonly loaded: LoadedProto
  readonly model: Model
}

/** The services of a .proto file as contracts, those that the TypeScript made of it has. */
export async function contractsOf({ loaded, model }: ProtoVersion): Promise<Service[]> {
  const { default: library } = await import('protobufjs')
  const types = new Set<protobufjs.ReflectionObject>([...model.messages.map(({ type }) => type), ...model.enums.map((each) => each.enum)])
  const root = library.Root.fromJSON(descriptorOf(loaded.root, types) as protobufjs.INamespace)
  root.resolveAll()
  const body = (type: protobufjs.Type | null, name: string | undefined) =>
    name === undefined || type === null ? none : (root.lookupType(type.fullName) as never)
  return model.services.map(({ service, methods }) => {
    const made = methods.map(({ name, kind, method, arg, result }) => {
      const docs = docsOf(method.comment?.replace(/^PUSH\b.*\n?/m, ''), method.options)
      const sent = body(method.resolvedRequestType, arg)
      return [name, kind === 'push' ? push(sent, docs) : call(sent, body(method.resolvedResponseType, result), docs)] as const
    })
    return defineService(service.name, Object.fromEntries(made), docsOf(service.comment, service.options))
  })
}

function docsOf(comment: string | null | undefined, options: Record<string, unknown> | undefined): { docs?: string; deprecated?: true } {
  const docs = comment?.trim() ?? ''
  return { ...(docs === '' ? undefined : { docs }), ...(options?.deprecated === true ? { deprecated: true } : undefined) }
}
