/** Branded primitives: a number of nanoseconds and a number of pixels do not mix by mistake. */

declare const brand: unique symbol;

/** `T` that only the constructor functions of its module can make. Costs nothing when running. */
export type Branded<T, Name extends string> = T & { readonly [brand]: Name };
