import type { TestContext } from 'node:test'
import { bytes } from '../../../src/index.ts'
import { type Kind, pair } from '../../support/helpers.ts'
import { plainForm } from './plain-form.ts'

/** Bodies as handlers and callers of ours meet them. */
export interface Bodies {
  /** The plain form of what a handler gets for this body. Rejects with a StatusError when it is unreadable. */
  read(body: Uint8Array): Promise<string>
  /** The body of a reply with this value in a list (bytes alone would be a body themselves). */
  write(value: unknown): Promise<Uint8Array>
}

/** A session whose messages are of one codec. */
export async function bodies(t: TestContext, transport: Kind, codec: string): Promise<Bodies> {
  const { server, session } = await pair(t, transport, { client: { codec } })
  let given: unknown
  server.routeCall('/read', (value: unknown) => plainForm(value))
  server.routeCall('/write', () => [given])
  return {
    read: (body) => session.call<string>('/read', body),
    write: (value) => {
      given = value
      return session.call('/write', null, { result: bytes })
    },
  }
}
