/** What the journal asks of a disk. Errors are the system's, with a `code` such as `ENOSPC` or `EIO`. */
export interface Disk {
  /**
   * Makes the folder if need be and keeps all others out of it, in this process and elsewhere, until the returned
   * function is called or the process ends, however it ends. `null` if somebody else has it.
   */
  lock(folder: string): Promise<(() => Promise<void>) | null>
  /** The names in a folder, in any order. */
  list(folder: string): Promise<string[]>
  /** Makes an empty file, for which there must be none of that name. Lasts once the folder is synced. */
  create(folder: string, name: string): Promise<DiskFile>
  /** Opens a file that is there, to read and to write. */
  open(folder: string, name: string): Promise<DiskFile>
  /** Removes a file; it is no error if it is gone. Lasts once the folder is synced. */
  remove(folder: string, name: string): Promise<void>
  /** Resolves once what was made and removed in the folder outlasts a loss of power. */
  syncFolder(folder: string): Promise<void>
}

/** An open file. Positions and sizes are in bytes from its beginning. */
export interface DiskFile {
  size(): Promise<number>
  /** Reads into `target` from its beginning. @returns how many bytes: fewer than fit at the end, or 0. */
  read(target: Buffer, position: number): Promise<number>
  /** Writes the pieces one behind the other. @returns how many bytes of them: it may be a part. */
  write(pieces: readonly Buffer[], position: number): Promise<number>
  truncate(bytes: number): Promise<void>
  /** Resolves once what was written outlasts a loss of power. One that failed may have dropped it for good. */
  sync(): Promise<void>
  close(): Promise<void>
}
