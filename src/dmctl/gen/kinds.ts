import type protobufjs from 'protobufjs'

export function isType(object: protobufjs.ReflectionObject | null): object is protobufjs.Type {
  return object !== null && 'fieldsArray' in object && 'oneofs' in object
}

export function isService(object: protobufjs.ReflectionObject): object is protobufjs.Service {
  return 'methodsArray' in object
}

export function isEnum(object: protobufjs.ReflectionObject | null): object is protobufjs.Enum {
  return object !== null && 'valuesById' in object
}

/** Whether a field of a type stands for an extension of it. */
export function isExtension(field: protobufjs.Field): boolean {
  return field.declaringField !== null
}
