import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** Writes the client as one module that a page can load as it is. */
export async function buildClient(file: string): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(new URL('../src/client/index.ts', import.meta.url))],
    outfile: file,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    minify: true,
    legalComments: 'eof',
    logLevel: 'warning',
  })
}
