// What browsers load: sdk/ as one module, each page of web/ as a folder. Called by the build and by tests.
import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../', import.meta.url))
const common = {
  bundle: true,
  format: 'esm',
  target: ['chrome109', 'safari15.4', 'firefox110'],
  minify: true,
  legalComments: 'none',
  logLevel: 'error',
}

/** Writes <to>/sdk/playhead.js and <to>/web/<page>/…; a page is a folder of web/ with an index.html. */
export async function bundle(to = `${root}dist`) {
  await build({ ...common, entryPoints: [`${root}sdk/browser.ts`], outfile: `${to}/sdk/playhead.js` })
  for (const page of pagesOf(`${root}web`)) {
    const [from, out] = [`${root}web/${page}`, `${to}/web/${page}`]
    mkdirSync(out, { recursive: true })
    for (const file of readdirSync(from)) {
      if (/\.(html|css|svg|webmanifest)$/.test(file)) cpSync(`${from}/${file}`, `${out}/${file}`)
    }
    if (existsSync(`${from}/main.ts`)) {
      await build({ ...common, entryPoints: [`${from}/main.ts`], outfile: `${out}/main.js`, sourcemap: true })
    }
  }
}

function pagesOf(web) {
  return readdirSync(web, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(`${web}/${entry.name}/index.html`))
    .map(({ name }) => name)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle()
