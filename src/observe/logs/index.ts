// The entry point `dmicro/logs`.

export { consoleLogger } from '../../base/log.ts'
export { type JsonLoggerOptions, jsonLogger } from './json-logger.ts'
export { type PinoLike, pinoLogger } from './pino-logger.ts'
export { type SampleOptions, sampledLogger } from './sampled-logger.ts'
