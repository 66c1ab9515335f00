/** Whether a call to a provider may go out: every limit of ours that can forbid it, in one place. */
import type { PlacesRefusal } from '../replication/status.ts'
import type { Breaker } from './breaker.ts'
import type { CallRate } from './call-rate.ts'
import type { PlacesLimits } from './limits.ts'
import { type FailureStatus, ProviderFailed } from './provider.ts'

/** What the whole herd may ask of a provider in a day and a month. */
export interface CallBudget {
  /** Takes one call out of both, or none out of either and says why. */
  take(): 'granted' | 'callsPerDayMax' | 'callsPerMonthMax'
}

/** A limit of ours forbids the call. Not the provider's failure, so not counted or logged as one. */
export class Refused extends ProviderFailed {
  readonly limit: PlacesRefusal
  /** Whose limit it is, where it is that of one address; others may go on. */
  readonly rate: CallRate | undefined

  constructor(limit: PlacesRefusal, message: string, status: FailureStatus, rate?: CallRate) {
    super(message, status)
    this.limit = limit
    this.rate = rate
  }
}

/** The limits of one provider. */
export interface AdmissionOptions {
  readonly provider: string
  readonly limits: Pick<PlacesLimits, 'asksInFlightMax'>
  readonly breaker: Breaker
  readonly rate: CallRate
  readonly budget: CallBudget
}

/** Looks at one call after the other. */
export class Admission {
  readonly #options: AdmissionOptions

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  /**
   * Lets a call out that is the first of an ask. A call that one limit forbids costs nothing of the others.
   *
   * @param inFlight asks under way to the provider. @param addressRate of whoever asks. @throws {Refused}
   */
  begin(inFlight: number, addressRate: CallRate, nowMs: number): void {
    const { provider, limits, breaker } = this.#options
    if (inFlight >= limits.asksInFlightMax) {
      const text = `This server has ${inFlight} asks for places under way (asksInFlightMax): ask again soon.`
      throw new Refused('asksInFlightMax', text, 'OVER_QUERY_LIMIT')
    }
    const objection = breaker.objection(nowMs)
    if (objection !== undefined) {
      const text = `${provider} is left alone for a while, as it failed: ${objection.message}`
      throw new Refused('breaker', text, objection.status)
    }
    if (!addressRate.allows(nowMs)) {
      const text =
        'This server asks for places no faster for one address (callsPerSecondPerAddressMax): ask again soon.'
      throw new Refused('callsPerSecondPerAddressMax', text, 'OVER_QUERY_LIMIT', addressRate)
    }
    this.again(nowMs)
    addressRate.take()
  }

  /** Lets a call out that repeats one which failed. @throws {Refused} */
  again(nowMs: number): void {
    const { rate, budget } = this.#options
    if (!rate.allows(nowMs)) {
      const text = 'This server asks for places no faster (callsPerSecondMax): ask again soon.'
      throw new Refused('callsPerSecondMax', text, 'OVER_QUERY_LIMIT')
    }
    const verdict = budget.take()
    if (verdict !== 'granted') throw usedUp(verdict)
    rate.take()
  }

  /**
   * Lets a call out that goes on with a search under way. Rates don't refuse it, or what the search has cost were
   * for nothing: they owe it, and later searches wait for longer. The budget has the last word.
   *
   * @throws {Refused}
   */
  further(addressRate: CallRate): void {
    const { rate, budget } = this.#options
    const verdict = budget.take()
    if (verdict !== 'granted') throw usedUp(verdict)
    rate.take()
    addressRate.take()
  }
}

function usedUp(limit: 'callsPerDayMax' | 'callsPerMonthMax'): Refused {
  const again = limit === 'callsPerDayMax' ? 'after 00:00 UTC' : 'next month'
  const text = `This herd's asks for places are used up (${limit}): ask again ${again}.`
  return new Refused(limit, text, 'OVER_QUERY_LIMIT')
}
