import { dmicro } from '../peers/dmicro.mjs'

export const label = 'dmicro JavaScript'
export const payloads = ['json', 'protobuf']
export const { serve, dial } = dmicro('js')
