import { jest } from '@jest/globals'
import { twoCopies } from './copies.mjs'

twoCopies({ test, expect, resetModules: () => jest.resetModules() })
