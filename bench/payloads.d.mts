export declare const payloads: Record<string, { kind: 'json' | 'protobuf'; bytes: number; value: unknown }>
