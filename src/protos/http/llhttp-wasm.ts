import type { StatusError } from '../../base/errors/status.ts'
import { Lazy } from '../../base/lazy.ts'

/** The functions of llhttp that are used here. */
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

// @ts-expect-error undici declares its public parts only
const code = new Lazy<Uint8Array>('undici/lib/llhttp/llhttp-wasm.js', () => import('undici/lib/llhttp/llhttp-wasm.js'))

/**
 * Finds llhttp, which `loadLlhttp` requires.
 *
 * @throws (rejects) an error that says why it is not available
 */
export async function findLlhttp(): Promise<void> {
  if (!('WebAssembly' in globalThis)) throw unable('there is no WebAssembly here (node --jitless)')
  try {
    await code.prepare()
  } catch (error) {
    throw unable(String((error as StatusError).cause))
  }
}

/** Compiles the WebAssembly that comes with undici. */
export function loadLlhttp(callbacks: object): Llhttp {
  const { Module, Instance } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly
  const llhttp = new Instance(new Module(code.module), { env: callbacks }).exports as Llhttp
  llhttp._initialize?.()
  return llhttp
}

function unable(why: string): Error {
  return new Error(`protocol http cannot run here, its parser does not load: ${why}`)
}

/**
 * Allocates a parser of about 80 bytes.
 *
 * @throws Error when there is no memory, because a write behind pointer 0 would go unnoticed
 */
export function allocate(llhttp: Llhttp, kind: number): number {
  const parser = llhttp.llhttp_alloc(kind)
  if (parser === 0) throw new Error('http: no memory for another parser')
  return parser
}
