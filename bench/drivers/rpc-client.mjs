import { dialService, serve as serveNodes } from '../peers/service.mjs'

export const label = 'dmicro RpcClient, p2c over 8 nodes'
export const payloads = ['json']
export const serve = serveNodes
export const dial = dialService
