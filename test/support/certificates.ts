/** Certificates for tests, made by openssl on the spot. */
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']

/** Makes a certificate that signs others, `<name>.pem` and `<name>.key.pem` in a folder. */
export async function makeAuthority(folder: string, name: string): Promise<void> {
  const files = ['-keyout', join(folder, `${name}.key.pem`), '-out', join(folder, `${name}.pem`)]
  await run('openssl', ['req', '-x509', ...KEY, ...files, '-subj', `/CN=${name}`])
}

/** Makes a certificate for a server's name, signed by an authority. `common`: the name is its subject's alone. */
export async function makeCertificate(
  folder: string,
  authority: string,
  file: string,
  name: string,
  kind: 'alternative' | 'common' = 'alternative',
): Promise<void> {
  const files = ['-keyout', join(folder, `${file}.key.pem`), '-out', join(folder, `${file}.csr`)]
  const subject = kind === 'common' ? name : 'a server of the herd'
  await run('openssl', ['req', '-new', ...KEY.slice(0, -2), ...files, '-subj', `/CN=${subject}`])
  const extensions = join(folder, `${file}.ext`)
  await writeFile(
    extensions,
    kind === 'common' ? 'basicConstraints=CA:FALSE\n' : `subjectAltName=DNS:${name}\n`,
  )
  const signer = ['-CA', join(folder, `${authority}.pem`), '-CAkey', join(folder, `${authority}.key.pem`)]
  const made = ['-in', join(folder, `${file}.csr`), '-out', join(folder, `${file}.pem`)]
  await run('openssl', [
    'x509',
    '-req',
    ...made,
    ...signer,
    '-CAcreateserial',
    '-days',
    '1',
    '-extfile',
    extensions,
  ])
}

/** What a server is given of them. */
export async function readCertificates(
  folder: string,
  authority: string,
  file: string,
): Promise<{ readonly ca: string; readonly certificate: string; readonly key: string }> {
  const read = (name: string): Promise<string> => readFile(join(folder, `${name}.pem`), 'utf8')
  const [ca, certificate, key] = await Promise.all([read(authority), read(file), read(`${file}.key`)])
  return { ca, certificate, key }
}
