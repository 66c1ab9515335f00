/** What the log says of requests: never a secret. */

/** A longer target is logged by its beginning. */
const TARGET_LENGTH_LOGGED_MAX = 2048
const SECRETS: ReadonlySet<string> = new Set(['token', 'access_token', 'password', 'key', 'secret'])
const HIDDEN = '***'

/** The target of a request, with the values of secrets hidden, however their names are encoded. */
export function targetForLog(target: string): string {
  const question = target.indexOf('?')
  if (question === -1) return beginning(target)
  const query = target
    .slice(question + 1)
    .split('&')
    .map((part) => {
      const equals = part.indexOf('=')
      return equals !== -1 && isSecret(part.slice(0, equals)) ? `${part.slice(0, equals)}=${HIDDEN}` : part
    })
  return beginning(`${target.slice(0, question)}?${query.join('&')}`)
}

function isSecret(name: string): boolean {
  try {
    return SECRETS.has(decodeURIComponent(name.replaceAll('+', ' ')).trim().toLowerCase())
  } catch {
    return true // Nobody can tell what that is.
  }
}

function beginning(text: string): string {
  return text.length > TARGET_LENGTH_LOGGED_MAX ? `${text.slice(0, TARGET_LENGTH_LOGGED_MAX)}…` : text
}
