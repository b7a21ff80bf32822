import type protobufjs from 'protobufjs'
import { call, changes, defineService, type Method, none, push, type Service } from '../../contract/index.ts'
import { descriptorOf } from './descriptor.ts'
import type { LoadedProto } from './load.ts'
import type { Model } from './model.ts'

/** One change of a service between two versions of a .proto file. */
export interface ServiceChange {
  readonly service: string
  readonly method: string
  readonly breaking: boolean
  readonly text: string
}

/** A .proto file that was read, and the parts of it that are generated. */
export interface Version {
  readonly loaded: LoadedProto
  readonly model: Model
}

/** The changes of all services of a file since an older version of it. */
export async function changesSince(before: Version, after: Version): Promise<ServiceChange[]> {
  const { default: library } = await import('protobufjs')
  const [old, now] = [servicesOf(library, before), servicesOf(library, after)]
  const names = [...new Set([...old.keys(), ...now.keys()])]
  return names.flatMap((service): ServiceChange[] => {
    const [from, to] = [old.get(service), now.get(service)]
    if (from === undefined) return [{ service, method: '', breaking: false, text: 'was added' }]
    if (to === undefined) return [{ service, method: '', breaking: true, text: 'was removed' }]
    return changes(from, to).map((each) => ({ service, ...each }))
  })
}

/** The contracts that the generated file would have. */
function servicesOf(library: typeof protobufjs, { loaded, model }: Version): Map<string, Service> {
  const types = new Set<protobufjs.ReflectionObject>([...model.messages.map(({ type }) => type), ...model.enums.map((each) => each.enum)])
  const root = library.Root.fromJSON(descriptorOf(loaded.root, types) as protobufjs.INamespace)
  root.resolveAll()
  const body = (type: protobufjs.Type | null, name: string | undefined) =>
    name === undefined || type === null ? none : (root.lookupType(type.fullName) as never)
  const services = model.services.map(({ service, methods }): [string, Service] => {
    const entries = methods.map(({ name, kind, method }, i): [string, Method] => {
      const arg = body(method.resolvedRequestType, methods[i].arg)
      return [name, kind === 'push' ? push(arg) : call(arg, body(method.resolvedResponseType, methods[i].result))]
    })
    return [service.name, defineService(service.name, Object.fromEntries(entries))]
  })
  return new Map(services)
}
