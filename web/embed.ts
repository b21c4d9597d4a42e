/**
 * `<moss-seeder repository="URL" rate="1MB/s" quota="500MB" month="20GB">`: the loader. Until somebody agrees it fetches
 * nothing and keeps nothing; then it loads the engine, and checks its hash.
 */
import { readSettings, type DonorSettings } from '../core/donate/settings.ts';
import { elementSheet } from './embed/style.ts';
import { panelOf } from './embed/panel.ts';
import { elementWords } from './embed/words.ts';
import { loadEngine } from './load-engine.ts';
import { element } from './ui/element.ts';
import { parseSize } from './ui/size.ts';
import { Volunteer, type VolunteerView } from './volunteer.ts';

/** Peers at the same time: what a site may ask of its visitors. */
const CONNECTIONS = 8;

/** What the events `start`, `stop` and `progress` tell, as their `detail`. */
export interface MossSeederDetail {
  /** As in the status: `off`, `connecting`, `filling`, `serving`, `idle` or `failing`. */
  readonly state: string;
  /** Why it is idle. */
  readonly reason: string | undefined;
  /** Bytes a second that go out. */
  readonly rate: number;
  /** Bytes that went out: ever, and this month. */
  readonly given: number;
  readonly month: number;
  /** Bytes that are stored. */
  readonly stored: number;
  /** Machines that are connected. */
  readonly peers: number;
}

export class MossSeeder extends HTMLElement {
  readonly #shadow = this.attachShadow({ mode: 'open' });
  #volunteer: Promise<Volunteer | undefined> | undefined;
  #isOn = false;

  connectedCallback(): void {
    if (this.#volunteer !== undefined) return;
    this.#shadow.adoptedStyleSheets = [elementSheet()];
    this.#volunteer = this.#open();
  }

  /** As the person's own click on `Stop`: nothing is sent once it resolves. There is no way to agree by script. */
  async stop(): Promise<void> {
    await (await this.#volunteer)?.stop();
  }

  async #open(): Promise<Volunteer | undefined> {
    const words = elementWords(this.closest('[lang]')?.getAttribute('lang') ?? undefined);
    let proposed: DonorSettings;
    try {
      proposed = settingsOf(this);
    } catch {
      this.#shadow.append(element('p', {}, words.say('wrong')));
      return undefined;
    }
    const volunteer = await Volunteer.open({ loadEngine: () => loadEngine({ connections: CONNECTIONS }), proposed, bound: true });
    const panel = panelOf(volunteer, words);
    this.#shadow.append(panel.root);
    volunteer.subscribe((view) => {
      panel.update(view);
      this.#announce(view);
    });
    return volunteer;
  }

  #announce({ phase, status }: VolunteerView): void {
    const isOn = phase === 'running' || phase === 'starting';
    const { state, rate, given, month, stored, peers } = status;
    const detail: MossSeederDetail = { state, reason: status.state === 'idle' ? status.reason : undefined, rate, given, month, stored, peers: peers.length };
    const type = isOn === this.#isOn ? 'progress' : isOn ? 'start' : 'stop';
    this.#isOn = isOn;
    if (isOn || type === 'stop') this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** @throws MossError `usage` when the repository is no web address */
function settingsOf(from: HTMLElement): DonorSettings {
  const size = (name: string): number | undefined => {
    const text = from.getAttribute(name);
    return text === null ? undefined : parseSize(text);
  };
  const repository = from.getAttribute('repository');
  return readSettings({
    repository: repository === null ? '' : new URL(repository, document.baseURI).href,
    fingerprint: from.getAttribute('fingerprint') ?? undefined,
    rate: size('rate'),
    quota: size('quota'),
    month: size('month'),
  });
}

if (customElements.get('moss-seeder') === undefined) customElements.define('moss-seeder', MossSeeder);
