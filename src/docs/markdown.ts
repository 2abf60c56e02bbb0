/** A table with one row per item, its columns aligned as the formatter wants them. What would end a cell is escaped. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [headings, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = headings.map((_, column) => Math.max(3, ...cells.map((row) => row[column].length)));
  const line = (row: readonly string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  const [first, ...others] = cells.map(line);
  return [first, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...others].join('\n');
}

export function code(text: string): string {
  return `\`${text}\``;
}

/** Paragraphs, as the text of a file. */
export function page(...parts: readonly string[]): string {
  return `${parts.join('\n\n')}\n`;
}
