// The module that endpoints load when they first listen on or dial an address with TLS.
export { clientTls } from './client-tls.ts'
export { ServerTls } from './server-tls.ts'
