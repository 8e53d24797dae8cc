/** The analytics role as a child process of a test: says its port, stops when told to or when its parent is gone. */
import { startAnalytics } from '../../analytics/server.ts'

const [dataDir = '', port = '0'] = process.argv.slice(2)
const server = await startAnalytics({
  dataDir,
  host: '127.0.0.1',
  port: Number(port),
  users: [
    { name: 'writer', password: 'writer-secret', role: 'writer' },
    { name: 'reader', password: 'reader-secret', role: 'reader' },
  ],
})
process.send?.({ port: server.port })
const stop = () => {
  server.close().then(
    () => process.exit(0),
    () => process.exit(1),
  )
}
process.on('SIGTERM', stop)
process.on('disconnect', stop)
