/** A command of Redis as it goes over the wire: its arguments, each with its length. Latin-1 only. */
export function encodeResp(args: readonly string[]): string {
  return [`*${args.length}`, ...args.flatMap((arg) => [`$${arg.length}`, arg]), ''].join('\r\n')
}
