import type protobufjs from 'protobufjs'
import { fieldName } from './names.ts'

type Json = Record<string, unknown>

/** The types of the files as protobufjs reads them again, with fields named as in TypeScript. Services are left out. */
export function descriptorOf(root: protobufjs.Root): object {
  const { nested } = renamed(root.toJSON({ keepComments: true }) as Json)
  return { nested }
}

function renamed(part: Json): Json {
  const result: Json = {}
  for (const [key, value] of Object.entries(part)) {
    // Parsed options are in `options` too.
    if (value === undefined || value === null || key === 'parsedOptions') continue
    if (key === 'fields') result[key] = mapEntries(value as Json, fieldName, withoutNulls)
    else if (key === 'oneofs') result[key] = mapEntries(value as Json, same, oneof)
    else if (key === 'nested') {
      const inner = Object.entries(value as Json).filter(([, each]) => !('methods' in (each as Json)))
      result[key] = Object.fromEntries(inner.map(([name, each]) => [name, renamed(each as Json)]))
    } else result[key] = typeof value === 'object' && !Array.isArray(value) ? withoutNulls(value as Json) : value
  }
  return result
}

function oneof(value: Json): Json {
  return { ...withoutNulls(value), oneof: (value.oneof as string[]).map(fieldName) }
}

function withoutNulls(value: Json): Json {
  return Object.fromEntries(Object.entries(value).filter(([key, each]) => each !== null && each !== undefined && key !== 'parsedOptions'))
}

function mapEntries(value: Json, name: (name: string) => string, map: (value: Json) => Json): Json {
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [name(key), map(each as Json)]))
}

const same = (name: string): string => name
