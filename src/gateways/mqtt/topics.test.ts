import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../../test/support/properties.ts'
import { herdTopic, ownTracksTopic, readTopic, TopicFilter } from './topics.ts'

/** Parts of topics, with all that means something in one. */
const level = fc.oneof(
  fc.constantFrom('owntracks', 'herd', 'fix', 'jane', 'phone', 'event', '', '%2F', '%', '$SYS'),
  fc.string({ maxLength: 4 }).map((text) => text.replaceAll(/[/+#]/g, 'x')),
)
const topic = fc.array(level, { minLength: 1, maxLength: 6 }).map((levels) => levels.join('/'))
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 5 }), fc.constantFrom([], ['#']))
  .map(([levels, rest]) => [...levels, ...rest].join('/'))
const client = fc.oneof(
  fc.string({ minLength: 1 }),
  fc.string({ unit: fc.constantFrom('a', '/', '+', '#', '%', '2', 'F', '\0', 'ü'), minLength: 1 }),
)

test('a client is found again by its topics', () => {
  fc.assert(
    fc.property(client, (id) => {
      assert.deepEqual(readTopic(herdTopic(id)), { family: 'herd', client: id })
      assert.doesNotMatch(herdTopic(id), /[+#\0]/)
      const own = ownTracksTopic(id)
      if (own !== null) assert.deepEqual(readTopic(own), { family: 'owntracks', client: id })
    }),
    runs(1000),
  )
})

test('topics are read as they are documented', () => {
  assert.equal(ownTracksTopic('jane/phone'), 'owntracks/jane/phone')
  for (const id of ['jane', '/phone', 'jane/', 'a/b/c', 'a+/b', 'a/#'])
    assert.equal(ownTracksTopic(id), null, id)
  assert.equal(herdTopic('jane/phone'), 'herd/jane%2Fphone/fix')
  assert.deepEqual(readTopic('owntracks/jane/phone/event'), { family: 'beside', client: 'jane/phone' })
  assert.deepEqual(readTopic('owntracks/jane/phone/'), { family: 'beside', client: 'jane/phone' })
  for (const other of [
    'owntracks/jane',
    'owntracks',
    'herd/kiwi',
    'herd//fix',
    'herd/kiwi/fix/x',
    'foo',
    '',
    '/owntracks/a/b',
  ])
    assert.equal(readTopic(other), null, other)
})

test('whatever topic comes, it is about a client with a name, or about none', () => {
  const raw = fc.oneof(topic, fc.string({ unit: 'binary' }), filter)
  fc.assert(
    fc.property(raw, (text) => {
      const about = readTopic(text)
      assert.ok(about === null || about.client !== '')
      if (about?.family === 'owntracks') assert.equal(text, `owntracks/${about.client}`)
      if (about?.family === 'herd') assert.deepEqual(readTopic(herdTopic(about.client)), about)
      if (about?.family === 'beside') assert.ok(text.startsWith(`owntracks/${about.client}/`))
    }),
    runs(3000),
  )
})

test('a filter matches what the standard says, and knows which topics of ours it may', () => {
  fc.assert(
    fc.property(filter, topic, (text, name) => {
      const subject = new TopicFilter(text)
      const matches = subject.matches(name)
      assert.equal(matches, naiveMatch(text, name))
      if (!matches) return
      const about = readTopic(name)
      if (about === null) return
      assert.ok(subject.hasAnything)
      if (about.family === 'owntracks') assert.ok(subject.hasOwnTracks)
      if (about.family === 'herd') assert.ok(subject.hasHerd)
      if (subject.client !== null) assert.equal(subject.client, about.client)
    }),
    runs(5000),
  )
})

test('filters that people use', () => {
  const told = (text: string): (string | boolean | null)[] => {
    const { hasOwnTracks, hasHerd, hasAnything, client: only } = new TopicFilter(text)
    return [hasOwnTracks, hasHerd, hasAnything, only]
  }
  assert.deepEqual(told('#'), [true, true, true, null])
  assert.deepEqual(told('owntracks/#'), [true, false, true, null])
  assert.deepEqual(told('owntracks/+/+'), [true, false, true, null])
  assert.deepEqual(told('owntracks/jane/phone'), [true, false, true, 'jane/phone'])
  assert.deepEqual(told('owntracks/jane/phone/cmd'), [false, false, true, 'jane/phone'])
  assert.deepEqual(told('owntracks/+/+/event'), [false, false, true, null])
  assert.deepEqual(told('herd/+/fix'), [false, true, true, null])
  assert.deepEqual(told('herd/kiwi/fix'), [false, true, true, 'kiwi'])
  for (const text of ['homeassistant/#', '$SYS/#', 'owntracks', 'herd/+', 'foo', '+'])
    assert.deepEqual(told(text), [false, false, false, null], text)
})

/** MQTT 3.1.1 §4.7 as a regular expression. */
function naiveMatch(text: string, name: string): boolean {
  const parts = text.split('/').map((part) => {
    if (part === '+') return '[^/]*'
    return part === '#' ? '.*' : part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  })
  const pattern = parts.join('/').replace(/\/\.\*$/, '(?:/.*)?')
  return new RegExp(`^${pattern}$`, 's').test(name)
}
