/** The table of settings, `mqtt` and `mqttBridge`. */
import { Type } from 'typebox'
import type { MqttBridgeEntry, MqttSettings } from './mqtt-config.ts'
import { GIB, group, KIB, MIB, text, wholeNumber } from './schema.ts'

const DAY_MS = 86_400_000

/** `mqtt` as a schema. */
export const mqtt: Type.TSchema = group<MqttSettings>('MQTT on the one port.', {
  on: Type.Optional(
    Type.Boolean({ default: true, examples: [true], description: 'Whether MQTT is spoken at all.' }),
  ),
  connectMsMax: wholeNumber(10, DAY_MS, 10_000, 'Time for a CONNECT to come.'),
  messageBytesMax: wholeNumber(
    KIB,
    64 * MIB,
    64 * KIB,
    'Size of what a client sends at a time; a larger one closes the connection.',
  ),
  subscriptionsPerConnectionMax: wholeNumber(1, 100_000, 100, 'Subscriptions of a connection.'),
  inflightMax: wholeNumber(
    1,
    10_000,
    100,
    'Messages of QoS 1 on their way to a client, and of QoS 2 on their way from it; then it is told no more fixes until it has acknowledged some.',
  ),
  sessionsMax: wholeNumber(
    0,
    1_000_000,
    1000,
    'Sessions that are kept while their clients are away; beyond that, the one away for longest ends.',
  ),
  queuedMax: wholeNumber(
    1,
    100_000,
    100,
    'Messages that wait in a session, besides fixes; then the oldest is dropped.',
  ),
  retainedMax: wholeNumber(0, 10_000_000, 10_000, 'Retained messages besides fixes.'),
  retainedBytesMax: wholeNumber(0, 64 * GIB, 64 * MIB, 'Size of all retained messages besides fixes.'),
})

/** `mqttBridge` as a schema. */
export const mqttBridge: Type.TSchema = group<MqttBridgeEntry>('An MQTT broker that exists already.', {
  url: text('mqtt://broker:1883', 'Where it is, `mqtts://` with TLS; without a user and a password.', {
    pattern: '^mqtts?://[^\\s@/?#]+/?$',
    valueText: 'a URL that begins with mqtt:// or mqtts://, without a user, a password and a path',
    defaultText: 'none: no bridge',
  }),
  servers: Type.Optional(
    Type.Array(Type.String(), {
      default: [],
      defaultText: 'all',
      valueText: 'a list of servers',
      examples: ['[Alford]'],
      description: 'The servers of the herd that connect to it.',
    }),
  ),
  topics: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 1024, valueText: 'a topic filter' }), {
      default: ['owntracks/+/+'],
      defaultText: '`[owntracks/+/+]`',
      valueText: 'a list of topic filters',
      examples: ['[owntracks/+/+, herd/+/fix]'],
      description: 'What is taken from it: what of it is a location or a fix is a report.',
    }),
  ),
  publish: Type.Optional(
    Type.Boolean({
      default: false,
      examples: [false],
      description: 'Whether the fixes of the herd are published there, retained.',
    }),
  ),
  prefix: text('fleet/', 'What stands before the topics under which they are published.', {
    pattern: '^[^+#\\s\\u0000]*$',
    valueText: 'the beginning of a topic, without + and #',
    defaultText: 'none',
  }),
  username: text('herd', 'Who we are there.', { defaultText: 'none' }),
  passwordFile: text(
    'mqtt.password',
    'A file that holds the password; or `HERD_MQTT_PASSWORD`. A relative path starts at the herd file.',
    { defaultText: 'none' },
  ),
  caFile: text(
    'tls/broker.pem',
    'Certificates of those who may sign for it, in PEM. A relative path starts at the herd file.',
    { defaultText: "those of the system's" },
  ),
  inflightMax: wholeNumber(1, 10_000, 100, 'Fixes on their way there that it has not acknowledged.'),
})
