import { dmicro } from '../peers/dmicro.mjs'
import { watched } from '../peers/observed.mjs'

export const label = 'dmicro native, tracing, 1 % sampled'
export const payloads = ['json']
export const { serve, dial } = dmicro('native', watched.sampled)
