import { Aedes, type Client, type PublishPacket } from 'aedes'
import type { PublishDone } from './aedes-parts.ts'

/** A message that goes to nobody as it came has this topic: no client's message can have it otherwise. */
const TAKEN = '$taken'

/** What a broker says to itself, or to others of its kind: nobody listens here. */
const BROKER_TOPICS = '$SYS/'

/** Sees to it that a message is acknowledged, and goes to nobody: who subscribes is told what the herd has accepted, and how. */
export function takeMessage(packet: PublishPacket): void {
  packet.topic = TAKEN
  packet.retain = false
}

/** The broker of aedes, which passes on what clients publish, but not reports, nor what it would tell itself. */
export class HerdBroker extends Aedes {
  override publish(packet: PublishPacket, done: PublishDone): void
  override publish(packet: PublishPacket, client: Client | null, done: PublishDone): void
  override publish(packet: PublishPacket, client: Client | PublishDone | null, done?: PublishDone): void {
    const whenDone = typeof client === 'function' ? client : (done ?? ignore)
    if (packet.topic === TAKEN || packet.topic.startsWith(BROKER_TOPICS)) {
      whenDone()
      return
    }
    // Who publishes doesn't wait until the slowest of its subscribers has taken it.
    super.publish(packet, typeof client === 'function' ? null : client, ignore)
    whenDone()
  }
}

function ignore(): void {}
