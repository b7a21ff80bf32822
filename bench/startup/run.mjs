// The start of one library in this process: `node bench/startup/run.mjs NAME import|require`. Prints one line of JSON, milliseconds since the
// process began and resident bytes: {"load","make","call"}, each {"ms","bytes"}; when the library is loaded, when a server listens and a
// client is made, and when its first call is answered.
import { createRequire } from 'node:module'
import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { fail, failOnAnyError, USAGE } from '../peers/fail.mjs'
import { missingReason } from '../peers/load-driver.mjs'
import { libraries } from './libraries.mjs'

const VALUE = 'a value to come back'

const loaders = {
  import: (name) => import(isAbsolute(name) ? pathToFileURL(name).href : name),
  require: createRequire(import.meta.url),
}

const stamp = () => ({ ms: performance.now(), bytes: process.memoryUsage.rss() })

failOnAnyError()
const [name, how] = process.argv.slice(2)
if (!Object.hasOwn(libraries, name)) fail(`no library is named ${name}; known: ${Object.keys(libraries).join(', ')}`, USAGE)
if (!Object.hasOwn(loaders, how)) fail(`a library is loaded by ${Object.keys(loaders).join(' or ')}, not ${how}`, USAGE)

const { modules, make } = libraries[name]
const loaded = []
try {
  for (const module of modules) loaded.push(await loaders[how](module))
} catch (error) {
  fail(`${name} cannot run here: ${missingReason(error)}`)
}
const load = stamp()
const call = await make(loaded)
const made = stamp()
const answer = await call(VALUE)
const called = stamp()
if (answer !== VALUE) fail(`${name} answered ${JSON.stringify(answer)}`)
process.stdout.write(`${JSON.stringify({ load, make: made, call: called })}\n`, () => process.exit(0))
