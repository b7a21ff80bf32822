/** The module that endpoints load when they first listen on or dial a WebSocket. */
export { prepareLlhttp } from '../http/llhttp.ts'
export { type Agreed, refuseUpgrade, UpgradeAcceptor, type UpgradeOwner } from './accept.ts'
export { beginWebSocket } from './dial.ts'
export { listenEngine } from './engine.ts'
export { checkUpgrade } from './handshake.ts'
export { readWebSocketDial, readWebSocketListen } from './options.ts'
export { framingOfMessages, overWebSocket } from './protocols.ts'
