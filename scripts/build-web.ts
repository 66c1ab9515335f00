/**
 * Makes `dist/web/`, the live map that servers give to browsers: `index.html`, and `assets/`, whose names hold a hash of what is in
 * them. All of it also as `.br` and `.gz`.
 *
 *     node scripts/build-web.ts                 makes it
 *     node scripts/build-web.ts --if-possible   does nothing where the tools for it are not installed
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import type { GeometryCollection, GeometryObject, Topology } from 'topojson-specification'

/** All that a browser loads, compressed by Brotli. */
const BYTES_MAX = 700_000
/** Parts of a full circle in which the world is kept: 1.3 km, which is finer than Natural Earth's 1 : 50,000,000. */
const WORLD_PARTS = 30_000
const TEXTS = new Set(['.txt', '.html', '.js', '.mjs', '.css', '.json', '.svg'])

const BUNDLED = ['maplibre-gl', 'world-atlas', 'topojson-client', 'pmtiles', 'fflate', 'eventsource-parser']

type Countries = Topology<{ countries: GeometryCollection<{ name: string }> }>

interface Package {
  readonly license?: string
  readonly homepage?: string
  readonly repository?: string | { readonly url: string }
}

const root = new URL('..', import.meta.url)
const out = new URL('dist/web/', root)
const resolve = createRequire(import.meta.url).resolve
const { values } = parseArgs({ options: { 'if-possible': { type: 'boolean', default: false } } })

if (values['if-possible'] && !hasTools()) {
  console.log('The live map is not built: its tools are development dependencies, which are not installed.')
} else {
  await build()
}

function hasTools(): boolean {
  try {
    for (const name of ['esbuild', 'maplibre-gl/package.json', 'world-atlas/package.json', 'pmtiles'])
      resolve(name)
    return true
  } catch {
    return false
  }
}

async function build(): Promise<void> {
  const { build: bundle } = await import('esbuild')
  rmSync(out, { recursive: true, force: true })
  mkdirSync(new URL('assets/', out), { recursive: true })
  const { outputFiles } = await bundle({
    absWorkingDir: fileURLToPath(root),
    entryPoints: { map: 'src/web/main.ts', style: 'src/web/all.css' },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    entryNames: '[name]-[hash]',
    outdir: fileURLToPath(new URL('assets/', out)),
    legalComments: 'none',
    loader: { '.svg': 'dataurl' },
    write: false,
  })
  const sizes: number[] = []
  const write = (path: string, content: string | Uint8Array): void => {
    sizes.push(writeCompressed(path, Buffer.from(content)))
  }
  const built = new Map(
    outputFiles.map(({ path, contents }) => [extname(path), { name: basename(path), contents }]),
  )
  for (const { name, contents } of built.values()) write(`assets/${name}`, contents)
  const asset = (name: string, content: string | Uint8Array): string => {
    const hashed = hashedName(name, content)
    write(`assets/${hashed}`, content)
    return `assets/${hashed}`
  }
  const texts: Readonly<Record<string, string>> = {
    script: `assets/${built.get('.js')?.name}`,
    style: `assets/${built.get('.css')?.name}`,
    worker: asset('worker.js', readFileSync(resolve('maplibre-gl/dist/maplibre-gl-worker.mjs'))),
    world: asset('world.json', JSON.stringify(world())),
    labels: asset('labels.json', readFileSync(new URL('data/map-labels.json', root))),
    icon: asset('icon.svg', readFileSync(new URL('src/web/icon.svg', root))),
  }
  write('assets/licences.txt', licences())
  const html = readFileSync(new URL('src/web/index.html', root), 'utf8')
  write(
    'index.html',
    html.replace(/\{\{(\w+)\}\}/g, (_, name: string) => texts[name] ?? ''),
  )
  const bytes = sizes.reduce((sum, size) => sum + size, 0)
  console.log(`dist/web: ${sizes.length} files, ${bytes} bytes by Brotli, of ${BYTES_MAX} at most`)
  if (bytes > BYTES_MAX) {
    console.error('The live map is too large.')
    process.exitCode = 1
  }
}

/** Of all that is in the bundle. */
function licences(): string {
  return BUNDLED.map((name) => {
    const folder = dirname(resolve(`${name}/package.json`))
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
    const { license, homepage, repository }: Package = JSON.parse(
      readFileSync(join(folder, 'package.json'), 'utf8'),
    )
    const where = homepage ?? (typeof repository === 'object' ? repository.url : repository)
    const text = file === undefined ? `${license}; ${where}` : readFileSync(join(folder, file), 'utf8').trim()
    return `# ${name}\n\n${text}\n`
  }).join('\n\n')
}

/** Writes a file, and beside it the same compressed. @returns its size by Brotli. */
function writeCompressed(path: string, content: Buffer): number {
  const file = new URL(path, out)
  writeFileSync(file, content)
  if (!TEXTS.has(extname(path))) return content.length
  const { BROTLI_PARAM_SIZE_HINT: hint, BROTLI_PARAM_LGWIN: window } = constants
  const brotli = brotliCompressSync(content, { params: { [hint]: content.length, [window]: 22 } })
  writeFileSync(new URL(`${path}.br`, out), brotli)
  writeFileSync(new URL(`${path}.gz`, out), gzipSync(content, { level: 9 }))
  return brotli.length
}

function hashedName(name: string, content: string | Uint8Array): string {
  const hash = createHash('sha256').update(content).digest('base64url').replaceAll(/[-_]/g, '').slice(0, 8)
  return name.replace('.', `-${hash}.`)
}

/** Natural Earth's countries out of world-atlas, on a coarser grid, with nothing but names. */
function world(): Countries {
  const { arcs, objects, transform }: Countries = JSON.parse(
    readFileSync(resolve('world-atlas/countries-50m.json'), 'utf8'),
  )
  const [scaleX, scaleY] = transform?.scale ?? [1, 1]
  const [x0, y0] = transform?.translate ?? [0, 0]
  const step = 360 / WORLD_PARTS
  const coarse = arcs.map((arc) => {
    let [x, y, lastX, lastY] = [0, 0, 0, 0]
    return arc.flatMap(([dx = 0, dy = 0], index) => {
      x += dx
      y += dy
      const nowX = Math.round((x * scaleX + x0) / step)
      const nowY = Math.round((y * scaleY + y0) / step)
      const move = [nowX - lastX, nowY - lastY]
      // The last point stays, so that no ring is torn.
      if (index > 0 && index < arc.length - 1 && move[0] === 0 && move[1] === 0) return []
      lastX = nowX
      lastY = nowY
      return [move]
    })
  })
  const geometries = objects.countries.geometries.map(
    (country): GeometryObject<{ name: string }> => ({
      ...country,
      properties: { name: nameOf(country.properties) },
    }),
  )
  for (const country of geometries) delete country.id
  return {
    type: 'Topology',
    transform: { scale: [step, step], translate: [0, 0] },
    objects: { countries: { type: 'GeometryCollection', geometries } },
    arcs: coarse,
  }
}

function nameOf(properties: object | undefined): string {
  return properties !== undefined && 'name' in properties ? String(properties.name) : ''
}
