export default {
  transform: {},
  testMatch: ['**/*.spec.mjs'],
  // All files in one process: each has modules of its own, the addon is loaded once.
  maxWorkers: 1,
  workerIdleMemoryLimit: undefined,
  detectOpenHandles: true,
}
