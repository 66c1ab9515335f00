/** Gives every byte back, with nothing between: what Node and the kernel cost without any work. */
import { createServer } from 'node:net'
import { LOOPBACK } from './support/ports.ts'

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('data', (chunk) => socket.write(chunk))
  socket.on('error', () => socket.destroy())
})
server.listen(Number(process.argv[2]), LOOPBACK)
process.once('SIGTERM', () => process.exit(0))
