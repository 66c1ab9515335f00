/** The kinds of settings, as schemas: what each takes, its default, an example and its meaning. Pure. */
import { Type } from 'typebox'

/** Bytes. */
export const KIB = 1024
/** Bytes. */
export const MIB: number = 1024 * KIB
/** Bytes. */
export const GIB: number = 1024 * MIB

/** A group whose members must be named exactly as in `Settings`. */
export function group<Settings>(
  description: string,
  members: { readonly [Name in keyof Required<Settings>]: Type.TSchema },
): Type.TOptional<Type.TObject> {
  // A fresh object: TypeBox takes a record of schemas, whatever their names.
  const properties: Type.TProperties = { ...members }
  return Type.Optional(Type.Object(properties, { additionalProperties: false, default: {}, description }))
}

/** A whole number in a range. */
export function wholeNumber(
  minimum: number,
  maximum: number,
  fallback: number,
  description: string,
): Type.TSchema {
  return Type.Optional(
    Type.Integer({ minimum, maximum, default: fallback, examples: [fallback], description }),
  )
}

/** One of some words. */
export function oneOf(values: readonly string[], fallback: string, description: string): Type.TSchema {
  return Type.Optional(Type.Enum([...values], { default: fallback, examples: [fallback], description }))
}

/** A text of at most 4,096 characters. */
export function text(
  example: string,
  description: string,
  more: Readonly<Record<string, unknown>>,
): Type.TSchema {
  return Type.Optional(
    Type.String({ minLength: 1, maxLength: 4096, examples: [example], description, ...more }),
  )
}
