/** Numbers and texts with a meaning get their own type, so that they cannot be swapped by mistake. */

export type Brand<T, Name extends string> = T & { readonly __brand: Name };

/** Milliseconds: a duration, or a point on the clock that the name gives. */
export type Millis = Brand<number, "Millis">;
