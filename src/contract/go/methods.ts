import { typeName } from '../components.ts'
import type { MethodDescription } from '../description.ts'
import { type ControllerNames, controllerNames, exported } from './names.ts'
import type { GoBody, GoTypes } from './types.ts'

/** A method in Go. */
export interface GoMethod {
  readonly name: string
  readonly description: MethodDescription
  /** Undefined for none. */
  readonly arg: GoBody | undefined
  readonly result: GoBody | undefined
  readonly codec: string
  readonly controller: ControllerNames | undefined
}

/** One direction of a service in Go: what clients call, or what the server calls of its clients. */
export interface GoService {
  /** Name that its types begin with. */
  readonly name: string
  /** Words for the service in comments. */
  readonly title: string
  readonly docs: string | undefined
  readonly deprecated: boolean | string | undefined
  readonly methods: readonly GoMethod[]
}

const CODECS = ['json', 'protobuf']

export function methodsOf(
  service: string,
  methods: readonly MethodDescription[],
  types: GoTypes,
  withServer: boolean,
): readonly GoMethod[] {
  const byName = new Map<string, string>()
  return methods.map((description) => {
    const { name: shown, route, arg, kind, codec } = description
    const name = exported(shown)
    const other = byName.get(name)
    if (other !== undefined) types.problems.push(`${other} and ${shown} would both be named ${name}`)
    byName.set(name, shown)
    const own = typeName(service, description)
    const argument = arg === null ? undefined : types.body(`${own}Argument`, arg, `${shown}, argument`)
    const result = kind === 'push' || !description.result ? undefined : types.body(`${own}Result`, description.result, `${shown}, result`)
    const isProtobuf = argument?.message !== undefined || result?.message !== undefined
    const found = codec ?? (isProtobuf ? 'protobuf' : 'json')
    if (!CODECS.includes(found)) types.problems.push(`${shown} has the codec ${found}, and Go reads ${CODECS.join(' and ')}`)
    const controller = controllerNames(route, shown.slice(shown.lastIndexOf('.') + 1))
    if (withServer && controller === undefined) types.problems.push(`the mapper of Go's router makes no route ${route}`)
    return { name, description, arg: argument, result, codec: found, controller }
  })
}

/** The type by which a value is passed: a struct by pointer. */
export function passed({ type, byPointer }: GoBody): string {
  return byPointer ? `*${type}` : type
}
