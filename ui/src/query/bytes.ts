/** Places in a text: the browser counts UTF-16 units, the server bytes of UTF-8. */

function bytesOf(code: number): number {
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

/** How many bytes stand before the unit `at`. */
export function byteOffset(text: string, at: number): number {
  let bytes = 0;
  for (let i = 0; i < Math.min(at, text.length); ) {
    const code = text.codePointAt(i) ?? 0;
    bytes += bytesOf(code);
    i += code > 0xffff ? 2 : 1;
  }
  return bytes;
}

/** The unit at which `byte` lies; within a character its start, beyond the text its end. */
export function unitOffset(text: string, byte: number): number {
  let bytes = 0;
  for (let i = 0; i < text.length; ) {
    const code = text.codePointAt(i) ?? 0;
    bytes += bytesOf(code);
    if (bytes > byte) return i;
    i += code > 0xffff ? 2 : 1;
  }
  return text.length;
}
