/** The globals of a page or worker that the code of this room uses; a worker has no `document`. */
interface PageGlobals {
  readonly WebSocket: new (url: string, protocols: string[]) => PageSocket
  readonly document?: { readonly visibilityState: string; addEventListener(event: string, run: () => void): void }
  readonly location?: { readonly hostname: string }
  addEventListener?(event: string, run: (event: { readonly persisted?: boolean }) => void): void
  removeEventListener?(event: string, run: () => void): void
  reportError?(error: unknown): void
}

/** The browser's WebSocket. */
export interface PageSocket {
  binaryType: string
  readonly bufferedAmount: number
  readonly readyState: number
  onopen: (() => void) | null
  onmessage: ((event: { data: ArrayBuffer | string }) => void) | null
  onclose: ((event: { code: number }) => void) | null
  onerror: (() => void) | null
  send(data: Uint8Array): void
  close(code?: number): void
}

export const page = globalThis as unknown as PageGlobals

/** Reports an exception that no caller gets, as the browser reports those of event listeners. */
export function report(error: unknown): void {
  if (page.reportError === undefined) console.error(error)
  else page.reportError(error)
}
