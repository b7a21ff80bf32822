// Messages of a raw peer of an endpoint that drains, and what it gets.
import { frame, type Parsed } from './frames.ts'

const OK = '{"code":0,"msg":"","cause":""}'
export const request = (seq: string, method: string, more: object = {}): Buffer =>
  frame({ seq, type: 1, method, status: OK, codec: 106, body: '1', ...more })
/** A call that announces a peer of ours. */
export const announcing = (method: string): Buffer => request('2', method, { meta: '{"X-Dmicro":"1;hop=2"}' })
export const push = (method: string, body = ''): Buffer => frame({ seq: '3', type: 3, method, status: OK, codec: 106, body })
export const methods = (frames: Parsed[]): string[] => frames.map(({ type, method, status: { code } }) => `${type}${method}${code || ''}`)
