// Builds the documentation site, and fails when a page has a broken link or the API a warning.
//   node --import tsx scripts/docs/build.ts [FOLDER]        default: site/
import { join, resolve } from 'node:path'
import { buildSite, root } from './site.ts'

const out = resolve(process.argv[2] ?? join(root, 'site'))
const problems = await buildSite(out)
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1
else console.log(join(out, 'index.html'))
