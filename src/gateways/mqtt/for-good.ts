import type { RefusalCode } from '../calls/call-refused.ts'

/**
 * Whether a message that was refused for this will be refused for ever. MQTT 3.1.1 has no word for a refusal (§3.3.5): such a message is
 * acknowledged and dropped, or it would come again for ever, and before all that wait behind it. Any other is not acknowledged: closing
 * the connection makes its client send it again.
 */
const FOR_GOOD: Readonly<Record<RefusalCode, boolean>> = {
  invalid: true,
  'not-allowed': true,
  // The next CONNECT shows a token, or is turned away (§3.2.2.3): the message waits until somebody has mended the settings.
  'no-token': false,
  // Somebody may report it, or there may be less, by then.
  'unknown-client': false,
  'too-many': false,
  rate: false,
  'clock-off': false,
  'table-full': false,
  late: false,
}

/** Whether a message that was refused with this code is to be acknowledged and dropped. */
export function isForGood(code: RefusalCode): boolean {
  return FOR_GOOD[code]
}
