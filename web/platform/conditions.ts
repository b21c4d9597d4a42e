/** What the browser tells of the moment: the line, the battery, whether the page can be seen. */
import type { Conditions } from '../../core/donate/conditions.ts';

/** https://wicg.github.io/netinfo/ : only some browsers have it. */
interface NetworkInformation extends EventTarget {
  readonly saveData?: boolean;
  readonly type?: string;
  readonly metered?: boolean;
}

/** https://www.w3.org/TR/battery-status/ : only some browsers have it. */
interface BatteryManager extends EventTarget {
  readonly level: number;
  readonly charging: boolean;
}

type PlatformNavigator = Navigator & { readonly connection?: NetworkInformation; getBattery?(): Promise<BatteryManager> };

/** All but the election, which is between tabs. */
export type PlatformConditions = Omit<Conditions, 'elected'>;

/** What is paid by the byte as a rule. */
const MOBILE: ReadonlySet<string> = new Set(['cellular', 'wimax']);

/**
 * Tells the conditions at once, and whenever they change.
 *
 * @returns a function that ends it
 */
export function watchConditions(tell: (conditions: PlatformConditions) => void): () => void {
  const { connection, getBattery } = navigator as PlatformNavigator;
  const ended = new AbortController();
  const listen = (target: EventTarget, ...events: string[]): void => {
    for (const event of events) target.addEventListener(event, update, { signal: ended.signal });
  };
  let battery: BatteryManager | undefined;
  let hiddenSince = document.hidden ? Date.now() : undefined;

  function update(): void {
    hiddenSince = document.hidden ? (hiddenSince ?? Date.now()) : undefined;
    tell({
      online: navigator.onLine,
      saveData: connection?.saveData,
      metered: connection === undefined ? undefined : connection.metered === true || MOBILE.has(connection.type ?? ''),
      battery: battery === undefined ? undefined : { level: battery.level, charging: battery.charging },
      hiddenSince,
    });
  }

  listen(document, 'visibilitychange');
  listen(globalThis, 'online', 'offline');
  if (connection !== undefined) listen(connection, 'change');
  const take = (manager: BatteryManager): void => {
    if (ended.signal.aborted) return;
    battery = manager;
    listen(manager, 'levelchange', 'chargingchange');
    update();
  };
  // Refused in frames that may not ask: then nothing is known of the battery.
  getBattery?.call(navigator).then(take, () => undefined);
  update();
  return () => ended.abort();
}
