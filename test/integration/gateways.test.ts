/** Every gateway keeps the same laws: real servers, and each way to report that there is. */
import { WAYS } from '../support/gateway-adapters.ts'
import { testGateways } from '../support/gateway-suite.ts'

testGateways(WAYS)
