import { dmicro } from '../peers/dmicro.mjs'
import { watched } from '../peers/observed.mjs'

export const label = 'dmicro native, metrics'
export const payloads = ['json']
export const { serve, dial } = dmicro('native', watched.metrics)
