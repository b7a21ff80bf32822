// Removes what builds have made, not the packages nor what the outside suites have downloaded. `npm run clean`;
// `node scripts/clean.mjs FOLDER …` removes only these.
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const MADE = ['build', 'dist', 'prebuilds', 'site']

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const wanted = process.argv.slice(2)
const unknown = wanted.find((folder) => !MADE.includes(folder))
if (unknown !== undefined) throw new Error(`no build makes ${unknown}: ${MADE.join(', ')}`)
for (const folder of wanted.length > 0 ? wanted : MADE) rmSync(folder, { recursive: true, force: true })
