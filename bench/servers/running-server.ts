import { type Child, describe } from '../support/children.ts'

/** A server that was started for one measurement, and listens. */
export interface RunningServer {
  readonly server: Child
  readonly port: number
  /** Ends it and removes what it wrote. */
  stop(): Promise<void>
}

/** Measures a server and ends it; an error has the server's last words, which often are the reason. */
export async function measureAndStop<Measured, Server extends RunningServer>(
  running: Server,
  measure: (running: Server) => Promise<Measured>,
): Promise<Measured> {
  try {
    return await measure(running)
  } catch (cause) {
    await running.stop()
    const reason = cause instanceof Error ? cause.message : String(cause)
    const { server } = running
    throw new Error(`${reason}\n${server.name} ended: ${describe(await server.ended)}`, { cause })
  } finally {
    await running.stop()
  }
}
