import type { Socket } from 'node:net'
import { type Greeted, type GreetLimits, greet, type Identity, limitsLeft } from './greet.ts'
import type { LinkSecurity } from './link-security.ts'

/** Waits until a socket is connected, `msMax` at most. @returns `null`, or why it isn't; it is destroyed then. */
export function connected(socket: Socket, msMax: number): Promise<string | null> {
  return new Promise((resolve) => {
    const late = (): void => {
      socket.destroy(new Error(`no connection within ${msMax} ms`))
    }
    const timer = setTimeout(late, msMax).unref()
    const settle = (trouble: string | null): void => {
      clearTimeout(timer)
      socket.off('close', closed)
      socket.off('connect', succeeded)
      resolve(trouble)
    }
    const closed = (): void => settle('the connection was closed')
    const succeeded = (): void => {
      socket.pause()
      settle(null)
    }
    // This one stays: while two sides greet, an error shows as the end of the conversation.
    socket.on('error', (error) => settle(error.message))
    socket.once('close', closed)
    socket.once('connect', succeeded)
  })
}

/**
 * Encrypts a connection that we dialed and greets the server `to` on it, in `handshakeMsMax` together.
 *
 * @returns how that ended, and the socket that the link is on from there: with TLS another one than was given.
 */
export async function secureAndGreet(
  socket: Socket,
  security: LinkSecurity,
  identity: Identity,
  to: string,
  limits: GreetLimits,
): Promise<{ readonly socket: Socket; readonly greeted: Greeted }> {
  const beganMs = performance.now()
  const secured = await security.dial(socket, to, limits.handshakeMsMax)
  if (secured.outcome !== 'secure') return { socket, greeted: secured }
  const { channel } = secured
  const greeted = await greet(channel, identity, to, limitsLeft(limits, performance.now() - beganMs))
  return { socket: channel.socket, greeted }
}
