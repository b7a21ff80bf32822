import { defineConfig } from 'vitest/config'

const inlined = process.env.DMICRO_OUTSIDE_POOL === 'inlined'

export default defineConfig({
  test: {
    include: ['**/*.spec.mjs'],
    // Modules that vitest does not run itself stay, whoever resets them.
    exclude: inlined ? [] : ['**/reset-modules.spec.mjs'],
    pool: inlined ? 'forks' : process.env.DMICRO_OUTSIDE_POOL,
    // One process or thread, and in some pools modules of its own for each file: the addon is loaded once.
    maxWorkers: 1,
    isolate: !inlined,
    server: { deps: { inline: inlined ? ['dmicro'] : [] } },
  },
})
