// Words that a POSIX shell takes as they are.

/** `text` as one word of a shell's command line, whatever it holds. */
export function shellQuoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
