import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  connectPacket,
  MqttPackets,
  PUBLISH,
  pubackOf,
  publishPacket,
  subscribePacket,
} from './mqtt-packets.ts'

test('packets are found wherever what comes was cut', () => {
  const all = Buffer.concat([
    publishPacket('owntracks/a/b', 'x'.repeat(300), 0, 0),
    publishPacket('owntracks/a/b', '{}', 1, 513),
    subscribePacket('owntracks/+/+', 1),
  ])
  for (let cut = 1; cut < all.length; cut += 1) {
    const found: [number, string][] = []
    const packets = new MqttPackets((kind, bytes, bodyAt, end) =>
      found.push([kind, bytes.toString('latin1', bodyAt, end)]),
    )
    packets.push(all.subarray(0, cut))
    packets.push(all.subarray(cut))
    assert.deepEqual(found, [
      [PUBLISH, `\0\x0downtracks/a/b${'x'.repeat(300)}`],
      [PUBLISH, '\0\x0downtracks/a/b\x02\x01{}'],
      [8, '\0\x01\0\x0downtracks/+/+\x01'],
    ])
  }
})

test('a message of QoS 1 is acknowledged by its number, one of QoS 0 not at all', () => {
  const numbered = publishPacket('owntracks/a/b', '{}', 1, 513)
  assert.deepEqual(pubackOf(numbered, 2, numbered[0] ?? 0), Buffer.from([0x40, 2, 2, 1]))
  const bare = publishPacket('owntracks/a/b', '{}', 0, 0)
  assert.equal(pubackOf(bare, 2, bare[0] ?? 0), null)
})

test('a connection begins as MQTT 3.1.1 has it', () => {
  assert.equal(connectPacket('a').toString('hex'), '100d00044d5154540402000000' + '0161')
})
