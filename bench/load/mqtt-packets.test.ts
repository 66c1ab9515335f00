import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Packet, parser } from 'mqtt-packet'
import {
  connectPacket,
  LocationBatch,
  PacketReader,
  PING,
  pubackPacket,
  subscribePacket,
} from './mqtt-packets.ts'

function packetsOf(bytes: Buffer): Packet[] {
  const packets: Packet[] = []
  const reader = parser()
  reader.on('packet', (packet) => packets.push(packet))
  assert.equal(reader.parse(bytes), 0)
  return packets
}

test('the packets are those of MQTT', () => {
  const bytes = Buffer.concat([
    connectPacket('load'),
    subscribePacket('owntracks/+/+', 1),
    PING,
    pubackPacket(258),
  ])
  const [connect, subscribe, ping, puback] = packetsOf(bytes)
  assert.ok(connect?.cmd === 'connect' && connect.clientId === 'load' && connect.clean === true)
  assert.ok(subscribe?.cmd === 'subscribe' && subscribe.subscriptions[0]?.topic === 'owntracks/+/+')
  assert.equal(ping?.cmd, 'pingreq')
  assert.ok(puback?.cmd === 'puback' && puback.messageId === 258)
})

test('each round is a second newer', () => {
  for (const qos of [0, 1]) {
    const batch = new LocationBatch('u1', 300, qos, 1_700_000_000)
    batch.advance()
    const packets = packetsOf(batch.bytes)
    assert.equal(packets.length, 300)
    for (const [device, packet] of packets.entries()) {
      assert.ok(packet.cmd === 'publish')
      assert.deepEqual([packet.topic, packet.qos], [`owntracks/u1/d${device}`, qos])
      assert.equal(JSON.parse(packet.payload.toString()).tst, 1_700_000_001)
      if (qos === 1) assert.equal(packet.messageId, device + 1)
    }
  }
})

test('packets are found in any chunks', () => {
  const { bytes } = new LocationBatch('u1', 20, 1, 1_700_000_000)
  for (const size of [1, 2, 3, 7, 100, 4096]) {
    const lengths: number[] = []
    const reader = new PacketReader((first, body) => {
      assert.equal(first, 0x32)
      lengths.push(body.length)
    })
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size))
    assert.equal(lengths.length, 20)
  }
})
