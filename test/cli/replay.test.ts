import { replaySuite } from './replay-suite.ts'

replaySuite('embedded', async () => ({}))
