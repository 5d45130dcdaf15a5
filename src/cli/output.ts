// What goes where: a command's result on standard output, bare, so that it can be piped; words for people on standard
// error. Color only where the stream is a terminal.

import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** One line of the command's result. */
export function printLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** The command's result as one line of JSON. */
export function printJson(value: unknown): void {
  printLine(JSON.stringify(value));
}

/** The command's result as it is, text or bytes. */
export function printRaw(data: string | Uint8Array): void {
  process.stdout.write(data);
}

/** Words for people; never part of the result. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** `text` on one line and without control characters, which could steer a terminal: some texts come from a peer. */
export function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').trim();
}

/** `text` in `style` if `stream` is a terminal that shows color. */
export function styled(stream: NodeJS.WriteStream, style: Style, text: string): string {
  return stream.isTTY && !process.env.NO_COLOR ? styleText(style, text) : text;
}

/**
 * Rows as aligned columns under a header. The header is for people: it is left out where standard output is no terminal,
 * and columns are then separated by tabs.
 */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  if (!process.stdout.isTTY) {
    for (const row of rows) printLine(row.join('\t'));
    return;
  }
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const align = (row: readonly string[]) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd();
  printLine(styled(process.stdout, 'dim', align(header)));
  for (const row of rows) printLine(align(row));
}

let readersMayLeave = false;

/** From now on a reader that leaves ends nothing: a server lives on when the program that read its link is done. */
export function outliveReaders(): void {
  readersMayLeave = true;
}

/** A reader that leaves early (`| head -1`) is no failure: the command ends quietly. */
export function endQuietlyWhenReaderLeaves(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      if (!readersMayLeave) process.exit();
    });
  }
}
