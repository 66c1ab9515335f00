/**
 * Memory for the table, all zeros. Shared memory, though nobody shares it: what the engine doesn't count as its own
 * doesn't hurry its garbage collector. A table that grows by ordinary buffers makes it walk its heap every 64 MB, a
 * pause of some 10 ms each time, to find that nothing can be freed.
 *
 * @param bytes at least one.
 */
export function tableMemory(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(bytes)
}
