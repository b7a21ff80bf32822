// Connections of protocols but raw.

export { EnvelopeConnection } from './connection/envelope-connection.ts'
export { StreamConnection } from './connection/stream-connection.ts'
