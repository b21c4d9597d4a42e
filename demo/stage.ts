/** What the demo says: acts, the commands it runs, and what was checked. Colours only on a terminal that wants them. */

const out = process.stdout;
// https://no-color.org: any value that is not empty.
const isColoured = out.isTTY && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
const paint = (code: number) => (text: string) => (isColoured ? `\u001B[${code}m${text}\u001B[0m` : text);
const [bold, dim, red, green] = [paint(1), paint(2), paint(31), paint(32)];

export class Stage {
  #act = 0;
  #checks = 0;
  #failures = 0;

  get failures(): number {
    return this.#failures;
  }

  get checks(): number {
    return this.#checks;
  }

  act(title: string): void {
    out.write(`\n${bold(`${++this.#act}. ${title}`)}\n`);
  }

  say(text: string): void {
    out.write(`   ${text}\n`);
  }

  /** A command line, as a person would type it. */
  command(line: string): void {
    out.write(`   ${dim(`$ ${line}`)}\n`);
  }

  /** Lines that a program printed. */
  quote(text: string): void {
    for (const line of text.trimEnd().split('\n')) out.write(`     ${line}\n`);
  }

  /** Something that has to be so; the demo goes on when it is not, and fails at its end. */
  check(claim: string, isSo: boolean, details = ''): void {
    this.#checks++;
    if (!isSo) this.#failures++;
    out.write(`   ${isSo ? green('✓') : red('✗')} ${claim}\n`);
    if (!isSo && details !== '') this.quote(details);
  }

  /** Shows on a terminal that something takes its time. */
  async waiting<T>(what: string, work: Promise<T>): Promise<T> {
    if (!out.isTTY) return work;
    const start = performance.now();
    const draw = (): void => void out.write(`\r   ${dim(`${what} ... ${Math.round((performance.now() - start) / 1000)} s`)}`);
    const timer = setInterval(draw, 1000);
    try {
      return await work;
    } finally {
      clearInterval(timer);
      out.write('\r\u001B[K');
    }
  }
}

/** Bytes in decimal units. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

export function percent(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(part / whole < 0.1 ? 1 : 0)} %`;
}
