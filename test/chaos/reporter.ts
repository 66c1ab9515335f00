/** What `node:test` has to say that main.ts doesn't: where things went wrong, also before and after a scenario. */

import type { TestEvent } from 'node:test/reporters'
import { inspect } from 'node:util'

/** The reporter. */
export default async function* reporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (type === 'test:fail') {
      const { error } = data.details
      yield `${inspect(error.cause ?? error).replaceAll(/^/gm, '    ')}\n`
    }
  }
}
