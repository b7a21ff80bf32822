export const key = new Uint8Array(32).fill(7)
export const proto = 'syntax = "proto3"; message Query { int32 id = 1; }'
