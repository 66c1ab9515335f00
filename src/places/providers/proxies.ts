/** The proxy that this machine's requests go through, as most programs are told it: by the environment. Pure. */

/** `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`, or the same in small letters, which go first. One that is empty is not set. */
export type ProxyEnvironment = Readonly<Record<string, string | undefined>>

/** What is to be asked through which proxy. */
export interface Proxies {
  /** A URL, perhaps with user and password; empty: none. */
  readonly httpProxy: string
  /** The same for HTTPS; empty: as for HTTP. */
  readonly httpsProxy: string
  /** Whoever is asked without one, with commas between. */
  readonly noProxy: string
  /** What must be in no message: passwords, however they are sent. */
  readonly secrets: readonly string[]
}

/** HTTP_PROXY or HTTPS_PROXY is no URL of a proxy. The message doesn't repeat it: a password may be in it. */
export class ProxyUnusable extends Error {
  override readonly name = 'ProxyUnusable'
}

/** What is on this machine is reached directly, whatever NO_PROXY says. */
const LOOPBACK = ['localhost', '127.0.0.1', '::1']

/** Reads them. @throws {ProxyUnusable} */
export function proxiesOf(env: ProxyEnvironment): Proxies {
  const http = proxyOf('HTTP_PROXY', env)
  const https = proxyOf('HTTPS_PROXY', env)
  return {
    httpProxy: http?.href ?? '',
    httpsProxy: https?.href ?? '',
    noProxy: [settingOf('NO_PROXY', env), ...LOOPBACK].filter((part) => part !== '').join(','),
    secrets: [http, https].flatMap((proxy) => (proxy === undefined ? [] : secretsOf(proxy))),
  }
}

function proxyOf(name: string, env: ProxyEnvironment): URL | undefined {
  const value = settingOf(name, env)
  if (value === '') return undefined
  // `proxy.example:3128` alone is common, and would be a URL of the scheme `proxy.example`.
  const proxy = URL.parse(value.includes('://') ? value : `http://${value}`)
  const isProxy = proxy !== null && /^https?:$/.test(proxy.protocol) && isDecodable(proxy)
  if (!isProxy) {
    throw new ProxyUnusable(
      `${name} is not the URL of a proxy; it takes one such as http://proxy.example:3128`,
    )
  }
  return proxy
}

function settingOf(name: string, env: ProxyEnvironment): string {
  return (env[name.toLowerCase()] || env[name] || '').trim()
}

function isDecodable({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password)
    return true
  } catch {
    return false
  }
}

/** A user without a password is one: some proxies take a token in its place. */
function secretsOf({ username, password }: URL): readonly string[] {
  const [user, word] = [decodeURIComponent(username), decodeURIComponent(password)]
  const secrets = word === '' ? [username, user] : [password, word]
  const sent = Buffer.from(`${user}:${word}`).toString('base64')
  return username === '' && password === '' ? [] : [...secrets, sent]
}
