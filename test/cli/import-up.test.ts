import { test } from 'node:test'
import { IMPORTED, imported } from './import-up-suite.ts'

test(IMPORTED, (t) => imported(t))
