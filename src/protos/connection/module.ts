export { EnvelopeConnection } from './envelope-connection.ts'
export { MessageConnection } from './message-connection.ts'
export { StreamConnection } from './stream-connection.ts'
