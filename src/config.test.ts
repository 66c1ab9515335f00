import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { HerdFileInvalid, HerdFileNotFound, loadHerd, packagedHerds } from './config.ts'

test('ucla is the default herd, as in the exercise', async () => {
  const config = await loadHerd(undefined, { cwd: '/nowhere', env: {} })
  assert.equal(config.name, 'ucla')
  assert.deepEqual(
    config.servers.map(({ name, host, port, neighbors }) => [name, host, port, neighbors]),
    [
      ['Alford', '127.0.0.1', 12000, ['Hamilton', 'Welsh']],
      ['Ball', '127.0.0.1', 12001, ['Holiday', 'Welsh']],
      ['Hamilton', '127.0.0.1', 12002, ['Alford', 'Holiday']],
      ['Holiday', '127.0.0.1', 12003, ['Ball', 'Hamilton']],
      ['Welsh', '127.0.0.1', 12004, ['Alford', 'Ball']],
    ],
  )
  assert.deepEqual(config.warnings, [])
})

test('lakers is the older herd', async () => {
  const config = await loadHerd('lakers', { cwd: '/nowhere', env: {} })
  assert.deepEqual(
    config.servers.map(({ name, port, neighbors }) => [name, port, neighbors]),
    [
      ['Farmar', 12010, ['Meeks', 'Young']],
      ['Gasol', 12011, ['Meeks', 'Young']],
      ['Hill', 12012, ['Meeks']],
      ['Meeks', 12013, ['Farmar', 'Gasol', 'Hill']],
      ['Young', 12014, ['Farmar', 'Gasol']],
    ],
  )
})

test('every packaged herd is valid', async () => {
  assert.deepEqual(packagedHerds(), ['lakers', 'ucla'])
  for (const herd of packagedHerds()) await loadHerd(herd, { cwd: '/nowhere', env: {} })
})

test('a herd file is found from the working directory, and its problems name it', async (t) => {
  const cwd = await mkdtemp(join(tmpdir(), 'herd-config-'))
  t.after(() => rm(cwd, { recursive: true }))
  await writeFile(join(cwd, 'one.yaml'), 'herd: one\nservers: { Solo: { port: 5000 } }\n')
  await writeFile(join(cwd, 'bad.yaml'), 'herd: bad\n')
  const config = await loadHerd('one.yaml', { cwd, env: {} })
  assert.equal(config.file, join(cwd, 'one.yaml'))
  assert.equal(config.servers[0]?.name, 'Solo')
  await assert.rejects(loadHerd('bad.yaml', { cwd, env: {} }), (error) => {
    assert.ok(error instanceof HerdFileInvalid)
    assert.equal(error.file, join(cwd, 'bad.yaml'))
    assert.match(error.message, /bad\.yaml can't be used:\n {2}servers: is missing/)
    return true
  })
})

test('a herd that is not there names those that are', async () => {
  await assert.rejects(loadHerd('ucal', { cwd: '/nowhere', env: {} }), (error) => {
    assert.ok(error instanceof HerdFileNotFound)
    assert.match(error.message, /Did you mean ucla\? Herds that come with Herd: lakers, ucla/)
    return true
  })
})

test('what is no herd file is refused before it is read', async (t) => {
  const cwd = await mkdtemp(join(tmpdir(), 'herd-config-'))
  t.after(() => rm(cwd, { recursive: true }))
  await writeFile(join(cwd, 'huge.yaml'), Buffer.alloc(4 * 1024 * 1024 + 1, '#'))
  await assert.rejects(loadHerd('huge.yaml', { cwd, env: {} }), /larger than 4194304 bytes/)
  await assert.rejects(loadHerd('.', { cwd, env: {} }), /can't be read \(EISDIR\)/)
})
