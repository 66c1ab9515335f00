/** Parses the JSON of each request and answers with some: what Node's own HTTP costs without any other work. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { LOOPBACK } from './support/ports.ts'

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => answer(request, response, Buffer.concat(chunks)))
})
server.listen(Number(process.argv[2]), LOOPBACK)
process.once('SIGTERM', () => process.exit(0))

function answer(request: IncomingMessage, response: ServerResponse, bytes: Buffer): void {
  if (request.method !== 'POST' || request.url !== '/v1/fixes') {
    response.writeHead(404).end()
    return
  }
  const body: unknown = JSON.parse(bytes.toString('utf8'))
  const report = new Map<string, unknown>(Object.entries(new Object(body)))
  const [client, lat, lon, time] = ['client', 'lat', 'lon', 'time'].map((name) => String(report.get(name)))
  // As long as Herd's own.
  const text = JSON.stringify({
    client,
    outcome: 'new',
    at: `AT Solo +0.000000000 ${client} +${lat}${lon} ${time}`,
  })
  response.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}
