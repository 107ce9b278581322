/** Numbers and texts with a meaning get a type of their own, so that they cannot be swapped by mistake. */

export type Brand<T, Name extends string> = T & { readonly __brand: Name };

/** Milliseconds: a span, or a point on a clock that says which. */
export type Millis = Brand<number, "Millis">;
