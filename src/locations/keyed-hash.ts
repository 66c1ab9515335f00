/**
 * Random 32-bit words, two for IDs and one for cells: whoever doesn't know them can't choose IDs or places that
 * collide.
 */
export type HashKey = readonly [number, number, number]

/**
 * HalfSipHash-1-3 of `buffer[start, end)`: 32 bits, keyed, so that chosen client IDs can't make the table
 * quadratic. After Aumasson and Bernstein's SipHash, in the half-width form for 32-bit words.
 */
export function keyedHash(buffer: Buffer, start: number, end: number, key: HashKey): number {
  let v0 = key[0]
  let v1 = key[1]
  let v2 = 0x6c796765 ^ key[0]
  let v3 = 0x74656462 ^ key[1]
  const length = end - start
  const wordsEnd = start + (length & ~3)
  let at = start
  for (; at <= wordsEnd; at += 4) {
    let word: number
    if (at < wordsEnd) {
      word =
        (buffer[at] as number) |
        ((buffer[at + 1] as number) << 8) |
        ((buffer[at + 2] as number) << 16) |
        ((buffer[at + 3] as number) << 24)
    } else {
      word = length << 24
      if (at + 2 < end) word |= (buffer[at + 2] as number) << 16
      if (at + 1 < end) word |= (buffer[at + 1] as number) << 8
      if (at < end) word |= buffer[at] as number
    }
    v3 ^= word
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= word
  }
  v2 ^= 0xff
  for (let round = 0; round < 3; round++) {
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
  }
  return v1 ^ v3
}

/** Spreads a cell number over 32 bits, one to one, so that equal hashes mean equal cells. After Murmur3. */
export function mix(value: number): number {
  let hash = value | 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
