/**
 * Python for tests that prove what others' clients read: a virtual environment per set of packages, kept in the
 * system's folder for temporary files so that the next run finds it. A machine without Python fails, it does not skip.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const INSTALL_TIMEOUT_MS = 300_000

/** Path of a Python that has these packages (as pip takes them, with versions: `name==1.2.3`). */
export async function ensurePython(packages: readonly string[]): Promise<string> {
  const python = process.env.PYTHON ?? 'python3'
  const version = await run(python, ['--version']).catch((error: Error) => {
    throw new Error(`these tests need Python 3.9 or newer with venv (or PYTHON=path): ${error.message}`)
  })
  const wanted = JSON.stringify([version.stdout.trim(), ...[...packages].sort()])
  const name = `playhead-python-${createHash('sha256').update(wanted).digest('hex').slice(0, 16)}`
  const home = join(tmpdir(), name)
  if (!(await exists(join(home, 'bin', 'python')))) await install(python, packages, home)
  return join(home, 'bin', 'python')
}

/** Built beside its place and moved there whole: a run that is stopped, or a second one at once, leaves none half done. */
async function install(python: string, packages: readonly string[], home: string): Promise<void> {
  const building = await mkdtemp(`${home}-`)
  try {
    await run(python, ['-m', 'venv', building])
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages]
    await run(join(building, 'bin', 'python'), pip, { timeout: INSTALL_TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024 })
    await rename(building, home).catch(async (error: NodeJS.ErrnoException) => {
      if (!(await exists(join(home, 'bin', 'python')))) throw error
    })
  } finally {
    await rm(building, { recursive: true, force: true })
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
