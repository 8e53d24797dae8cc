import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const downloadTimeoutMs = 10 * 60_000

/**
 * The jars of some Maven artifacts (`group:artifact:version`) and all that they need at run time, in one folder that is
 * kept between runs. Answers the folder; a class path is `${folder}/*`.
 *
 * The folder gets its name only when it is complete, so that two processes may do this at once: the one that comes
 * second throws its copy away.
 */
export async function jars(coordinates: readonly string[], label: string): Promise<string> {
  const digest = createHash('sha256').update(coordinates.join('\n')).digest('hex').slice(0, 12)
  const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'playhead', 'jars')
  const complete = join(folder, `${label}-${digest}`)
  if (existsSync(complete)) return complete

  const work = join(folder, `.${label}-${randomUUID()}`)
  await mkdir(work, { recursive: true })
  try {
    await writeFile(join(work, 'pom.xml'), pom(coordinates))
    await maven(work, label)
    await rename(join(work, 'jars'), complete).catch((error: NodeJS.ErrnoException) => {
      if (!existsSync(complete)) throw error
    })
    return complete
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function maven(work: string, label: string): Promise<void> {
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${join(work, 'jars')}`]
  try {
    await run('mvn', ['-q', '-B', '-f', join(work, 'pom.xml'), ...goal], { timeout: downloadTimeoutMs })
  } catch (error) {
    const failed = error as NodeJS.ErrnoException & { stdout?: string; stderr?: string }
    if (failed.code === 'ENOENT') {
      throw new Error(
        `Maven is missing: it fetches ${label}'s jars. Install it (Debian/Ubuntu: apt install maven; macOS: brew install maven) and try again.`,
      )
    }
    const output = `${failed.stdout ?? ''}${failed.stderr ?? ''}`.split('\n').slice(-15).join('\n')
    throw new Error(`Maven could not fetch ${label}'s jars:\n${output}`, { cause: error })
  }
}

function pom(coordinates: readonly string[]): string {
  const dependencies = coordinates.map((coordinate) => {
    const [group, artifact, version] = coordinate.split(':')
    if (!group || !artifact || !version) throw new Error(`not group:artifact:version: ${coordinate}`)
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`
  })
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>playhead.local</groupId><artifactId>jars</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>${dependencies.join('\n')}</dependencies></project>
`
}
