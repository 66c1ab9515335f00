/** Reads an object of numbers that a load printed; throws if one of them is missing. Others may be there. */
export function parseFigures<Name extends string>(
  text: string,
  names: readonly Name[],
): Readonly<Record<Name, number>> {
  const value: unknown = JSON.parse(text)
  const figures = new Map<string, unknown>(
    typeof value === 'object' && value !== null ? Object.entries(value) : [],
  )
  const entries = names.map((name): [Name, number] => {
    const figure = figures.get(name)
    if (typeof figure !== 'number') throw new Error(`the load printed no ${name}: ${text.slice(0, 200)}`)
    return [name, figure]
  })
  return Object.fromEntries(entries) as Record<Name, number>
}
