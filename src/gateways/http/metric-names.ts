import type { Counter } from 'prom-client'

/** Counts are kept elsewhere, and copied when somebody asks. */
export function setCounter<Label extends string>(
  counter: Counter<Label>,
  labels: Partial<Record<Label, string>>,
  value: number,
): void {
  counter.remove(labels)
  counter.inc(labels, value)
}

/** `fixesNew` as `fixes_new`. */
export function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
