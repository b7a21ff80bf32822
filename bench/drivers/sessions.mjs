import { dialSessions, serve as serveNodes } from '../peers/service.mjs'

export const label = 'dmicro sessions with 8 nodes, called in turn'
export const payloads = ['json']
export const serve = serveNodes
export const dial = dialSessions
