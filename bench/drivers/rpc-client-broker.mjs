import { dialBroker, serve as serveNodes } from '../peers/service.mjs'

export const label = 'dmicro RpcClient with breaker, limit and retries'
export const payloads = ['json']
export const serve = serveNodes
export const dial = dialBroker
