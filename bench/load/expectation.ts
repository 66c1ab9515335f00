/** What a server must answer to a batch of reports; so far only Herd and the echo are talked to. */
export interface Expectation {
  /** Every line of every reply begins with it. */
  readonly firstByte: number
  /** What is wrong with the whole reply to a batch, or `undefined`. Used on a sample: it is slow. */
  check(request: string, reply: string): string | undefined
}

/** The same bytes again. */
export const expectEcho: Expectation = {
  firstByte: 'I'.charCodeAt(0),
  check: (request, reply) => (reply === request ? undefined : `not the echo of the request: ${quote(reply)}`),
}

/** `AT <server> <difference> <copy of the three fields>` to each line. */
export function expectAt(server: string): Expectation {
  return {
    firstByte: 'A'.charCodeAt(0),
    check: (request, reply) => {
      const sent = request.split('\n')
      const got = reply.split('\n')
      if (sent.length !== got.length) return `${got.length - 1} replies to ${sent.length - 1} lines`
      const wrong = got.findIndex((line, index) => !isAt(server, sent[index] ?? '', line))
      return wrong === -1 ? undefined : `${quote(got[wrong] ?? '')} in reply to ${quote(sent[wrong] ?? '')}`
    },
  }
}

const AT = /^AT (\S+) [+-]\d+\.\d{9} (.*)$/
const IAMAT = 'IAMAT '

function isAt(server: string, request: string, reply: string): boolean {
  if (request === '') return reply === ''
  const [, name, copy] = AT.exec(reply) ?? []
  return name === server && copy === request.slice(IAMAT.length)
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 200))
}
