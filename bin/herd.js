#!/usr/bin/env node
// The door of the `herd` command. It must parse on any Node since 12, because it is what tells people that
// theirs is too old: nothing newer than that may stand in this file.
// biome-ignore-all lint/style/useNodejsImportProtocol: Node 12 doesn't know `node:`.
import { spawn } from 'child_process'
import { existsSync } from 'fs'
import * as nodeModule from 'module'
import { constants } from 'os'
import { join } from 'path'
import { fileURLToPath } from 'url'
import { setFlagsFromString } from 'v8'

const NODE_MAJOR_MIN = 24
// Tells the Node that we start in our place to end when we do, however that happens.
const RELAUNCHED = 'HERD_RELAUNCHED'

// What is loaded stays, and V8 takes that for a reason to give the young generation more room: so much that a server under load has
// V8 look through all of its memory, some ten times a second, before it comes to clearing the young.
const YOUNG_STAYS_SMALL = '--semi-space-growth-factor=1'
const YOUNG_MAY_GROW = '--semi-space-growth-factor=2'

const pinnedNode = pathTo('../node_modules/node/bin/node')

if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_MIN) {
  run()
} else if (existsSync(pinnedNode) && process.env[RELAUNCHED] === undefined) {
  relaunch(pinnedNode)
} else {
  console.error(
    `Herd needs Node.js ${NODE_MAJOR_MIN} or newer; this is ${process.version}. Get one from https://nodejs.org`,
  )
  process.exitCode = 1
}

function run() {
  if (process.env[RELAUNCHED] !== undefined) endWithParent()
  const keepCompiled = compileCache()
  // A checkout runs its sources; a published package has none, because Node strips no types in node_modules.
  const source = '../src/cli/main.ts'
  const main = existsSync(pathTo(source)) ? source : '../dist/cli/main.js'
  setFlagsFromString(YOUNG_STAYS_SMALL)
  void import(main).then((module) => {
    setFlagsFromString(YOUNG_MAY_GROW)
    // Now, not at the end, where a server that is killed writes nothing; and not while it serves.
    keepCompiled()
    module.main()
  })
}

/**
 * Has Node keep what it compiles for the next start, which takes half the time then. In a folder of the user's own: whoever could
 * write there could let us run anything. Returns what writes it.
 */
function compileCache() {
  const { HOME, XDG_CACHE_HOME, NODE_COMPILE_CACHE } = process.env
  const caches = XDG_CACHE_HOME || (HOME && join(HOME, '.cache'))
  if (NODE_COMPILE_CACHE || !caches) return () => {}
  nodeModule.enableCompileCache(join(caches, 'herd'))
  return () => nodeModule.flushCompileCache()
}

/** A parent that is killed can't pass on a signal; the channel to it closes all the same. */
function endWithParent() {
  delete process.env[RELAUNCHED]
  process.once('disconnect', () => {
    process.kill(process.pid, 'SIGTERM')
  })
  process.channel.unref()
}

/** Runs this command on another Node, as if it were ours: input, output, signals and exit code. */
function relaunch(node) {
  const env = Object.assign({}, process.env)
  env[RELAUNCHED] = '1'
  const child = spawn(node, process.argv.slice(1), { env, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  child.channel.unref()
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']
  const forward = (signal) => child.kill(signal)
  for (const signal of signals) process.on(signal, forward)
  child.on('error', (error) => {
    console.error(`${node} can't be run (${error.code})`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => {
    // As shells say it: a process that a signal ended has 128 and the signal's number.
    process.exit(signal === null ? code : 128 + constants.signals[signal])
  })
}

function pathTo(relative) {
  return fileURLToPath(new URL(relative, import.meta.url))
}
