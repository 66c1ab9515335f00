import { spawnSync } from 'node:child_process'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'

/** What a figure depends on beside the code. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
  readonly kernel: string
  readonly node: string
  readonly redis: string | undefined
  readonly nats: string | undefined
}

/** Facts about this machine that are worth keeping with the figures. */
export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: `${type()} ${release()}`,
    node: process.version,
    redis: readRedisVersion(),
    nats: readNatsVersion(),
  }
}

/** The machine in one line. */
export function formatMachine(machine: Machine): string {
  const memory = `${Math.round(machine.memoryBytes / 2 ** 30)} GiB`
  const redis = machine.redis === undefined ? 'no Redis' : `Redis ${machine.redis}`
  const nats = machine.nats === undefined ? 'no NATS' : `NATS ${machine.nats}`
  return `${machine.cpu}, ${machine.cores} cores, ${memory}, ${machine.kernel}, Node ${machine.node}, ${redis}, ${nats}`
}

/** `undefined` if redis-server or redis-benchmark is not installed. */
export function readRedisVersion(): string | undefined {
  if (!isInstalled('redis-benchmark')) return undefined
  const answer = spawnSync('redis-server', ['--version'], { encoding: 'utf8', timeout: 5000 })
  return /v=([\d.]+)/.exec(answer.stdout ?? '')?.[1]
}

/** `undefined` if nats-server is not installed. */
export function readNatsVersion(): string | undefined {
  const answer = spawnSync('nats-server', ['--version'], { encoding: 'utf8', timeout: 5000 })
  return /v([\d.]+)/.exec(answer.stdout ?? '')?.[1]
}

/** Whether a command can be started at all. */
export function isInstalled(command: string, question = '--version'): boolean {
  return spawnSync(command, [question], { stdio: 'ignore', timeout: 5000 }).error === undefined
}
