import { drawing, element, setText } from '../ui/element.ts';
import type { PageWords } from './words.ts';

/** Milliseconds that the plot shows. */
const SPAN = 5 * 60_000;
const [WIDTH, HEIGHT] = [600, 120];
/** Samples nearer than this are one: 300 points are all that the width can show. */
const APART = 1000;

interface Sample {
  readonly at: number;
  readonly rate: number;
}

/** Rates of the last minutes, as they come. */
export class RateHistory {
  #samples: Sample[] = [];

  add(at: number, rate: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && at - last.at < APART) this.#samples[this.#samples.length - 1] = { at: last.at, rate: Math.max(rate, last.rate) };
    else this.#samples.push({ at, rate });
    // One beyond the span, so that the line begins at the edge.
    while ((this.#samples[1]?.at ?? at) < at - SPAN) this.#samples.shift();
  }

  get samples(): readonly Sample[] {
    return this.#samples;
  }
}

/** The plot of what goes out, with the limit as a line of its own. */
export class RatePlot {
  readonly root: HTMLElement;
  readonly #words: PageWords;
  readonly #area = drawing('path', { class: 'plot-area' });
  readonly #line = drawing('path', { class: 'plot-line' });
  readonly #limit = drawing('line', { class: 'plot-limit', x1: 0, x2: WIDTH });
  readonly #picture: SVGElement;
  readonly #top = element('span', { class: 'plot-top' });

  constructor(words: PageWords) {
    this.#words = words;
    this.#picture = drawing('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': '' }, this.#area, this.#limit, this.#line);
    const axis = element('div', { class: 'plot-axis', 'aria-hidden': 'true' }, element('span', {}, words.say('plot.from')), element('span', {}, words.say('plot.to')));
    this.root = element('div', { class: 'plot' }, this.#top, this.#picture, axis);
    this.#top.setAttribute('aria-hidden', 'true');
  }

  /** @param limit bytes a second, 0 for none */
  update(samples: readonly Sample[], now: number, limit: number): void {
    const most = Math.max(...samples.map(({ rate }) => rate), 0);
    // Without a limit the highest sample is four fifths up; with one, the limit is.
    const top = Math.max(limit, most, 1000) * 1.25;
    const x = (at: number): string => (WIDTH * Math.max(0, 1 - (now - at) / SPAN)).toFixed(1);
    const y = (rate: number): string => (HEIGHT * (1 - rate / top)).toFixed(1);
    // Steps: a rate holds until the next one is known.
    const points = samples.map(({ at, rate }, i) => `${i === 0 ? `M${x(at)}` : `H${x(at)}`}${i === 0 ? ` ${y(rate)}` : `V${y(rate)}`}`).join('');
    const line = points === '' ? '' : `${points}H${WIDTH}`;
    this.#line.setAttribute('d', line);
    this.#area.setAttribute('d', line === '' ? '' : `${line}V${HEIGHT}H${x(samples[0]?.at ?? now)}Z`);
    this.#limit.setAttribute('visibility', limit > 0 ? 'visible' : 'hidden');
    this.#limit.setAttribute('y1', y(limit));
    this.#limit.setAttribute('y2', y(limit));
    const { format } = this.#words;
    setText(this.#top, limit > 0 || most > 0 ? format.rate(limit > 0 ? limit : most) : '');
    this.#picture.setAttribute('aria-label', this.#words.say('plot', { rate: format.rate(samples.at(-1)?.rate ?? 0), most: format.rate(most) }));
  }
}
