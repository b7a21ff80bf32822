import { dmicro } from '../peers/dmicro.mjs'
import { watched } from '../peers/observed.mjs'

export const label = 'dmicro native, console open in three pages'
export const payloads = ['json']
export const { serve, dial } = dmicro('native', watched.console)
