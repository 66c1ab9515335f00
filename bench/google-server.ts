/** A stand-in for Google that knows one answer: a process of its own, called with its port. */
import { createServer } from 'node:http'
import { googleAnswer } from './servers/google-answer.ts'
import { LOOPBACK } from './support/ports.ts'

const body = Buffer.from(googleAnswer())
const headers = { 'content-type': 'application/json; charset=UTF-8', 'content-length': body.length }

createServer((_request, response) => {
  response.writeHead(200, headers).end(body)
}).listen({ port: Number(process.argv[2]), host: LOOPBACK, backlog: 1024 })
