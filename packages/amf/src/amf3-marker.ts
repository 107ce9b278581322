/** AMF3 type markers: the byte before each value. AMF3 specification §3.1. */

export const AMF3_MARKER = {
  UNDEFINED: 0x00,
  NULL: 0x01,
  FALSE: 0x02,
  TRUE: 0x03,
  INTEGER: 0x04,
  DOUBLE: 0x05,
  STRING: 0x06,
  XML_DOCUMENT: 0x07,
  DATE: 0x08,
  ARRAY: 0x09,
  OBJECT: 0x0a,
  XML: 0x0b,
  BYTE_ARRAY: 0x0c,
  VECTOR_INT: 0x0d,
  VECTOR_UINT: 0x0e,
  VECTOR_DOUBLE: 0x0f,
  VECTOR_OBJECT: 0x10,
  DICTIONARY: 0x11,
} as const;

/** Smallest and largest number that INTEGER can hold: 29 bits, two's complement. */
export const AMF3_INTEGER_MIN = -0x1000_0000;
export const AMF3_INTEGER_MAX = 0x0fff_ffff;
