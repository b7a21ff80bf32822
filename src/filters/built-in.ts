import type { Filter } from '../message/filter.ts'
import { gzip } from './gzip.ts'
import { md5 } from './md5.ts'

/** The filters of every endpoint: they need no key. */
export function builtInFilters(): readonly Filter[] {
  return [gzip(), md5]
}
