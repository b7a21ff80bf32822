// The certificate that the servers over TLS show, made anew for each run: ECDSA on P-256, as most servers have today.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { certificates } from '../test/support/certificates.ts'
import { programs } from './processes.ts'

let file: string | undefined

/** A file of JSON for the peers' --certificate: { key, cert, ca }. */
export function certificateFile(): string {
  if (file === undefined) {
    const { authority, server } = certificates()
    mkdirSync(programs, { recursive: true })
    file = join(programs, 'certificate.json')
    writeFileSync(file, JSON.stringify({ ...server, ca: authority.cert }), { mode: 0o600 })
  }
  return file
}
