import { textOf } from '../../error-text.ts'
import { packageRequire } from '../../here.ts'

/** What of llhttp is used here. */
export interface Llhttp {
  readonly memory: { readonly buffer: ArrayBuffer }
  _initialize?(): void
  malloc(size: number): number
  llhttp_alloc(kind: number): number
  llhttp_free(parser: number): void
  llhttp_reset(parser: number): void
  llhttp_resume(parser: number): void
  llhttp_execute(parser: number, at: number, length: number): number
  llhttp_get_error_pos(parser: number): number
  llhttp_get_error_reason(parser: number): number
}

interface Wasm {
  Module: new (bytes: Uint8Array) => unknown
  Instance: new (module: unknown, imports: unknown) => { exports: unknown }
}

let bytes: Uint8Array | undefined

/** Finds the WebAssembly of undici in a way that bundlers follow. @throws (rejects) what says why it cannot run here */
export async function findLlhttp(): Promise<void> {
  if (bytes !== undefined) return
  const { WebAssembly } = globalThis as unknown as { WebAssembly?: Wasm }
  if (WebAssembly === undefined) throw unable('there is no WebAssembly here (node --jitless)')
  try {
    // @ts-expect-error undici declares its public parts only
    const module: { default: Uint8Array } = await import('undici/lib/llhttp/llhttp-wasm.js')
    bytes = module.default
  } catch (error) {
    throw unable(textOf(error), error)
  }
}

/** Compiles the WebAssembly of undici. */
export function loadLlhttp(callbacks: object): Llhttp {
  bytes ??= packageRequire()('undici/lib/llhttp/llhttp-wasm.js') as Uint8Array
  const { Module, Instance } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly
  const llhttp = new Instance(new Module(bytes), { env: callbacks }).exports as Llhttp
  llhttp._initialize?.()
  return llhttp
}

function unable(why: string, cause?: unknown): Error {
  return new Error(`protocol http cannot run here: its parser does not load: ${why}`, { cause })
}

/** About 80 bytes. Writing behind a pointer that is 0 would go unnoticed. */
export function allocate(llhttp: Llhttp, kind: number): number {
  const parser = llhttp.llhttp_alloc(kind)
  if (parser === 0) throw new Error('http: no memory for another parser')
  return parser
}
