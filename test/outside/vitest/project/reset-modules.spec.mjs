import { expect, test, vi } from 'vitest'
import { twoCopies } from './copies.mjs'

twoCopies({ test, expect, resetModules: () => vi.resetModules() })
