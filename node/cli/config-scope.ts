/** Where settings come from and go to: the root's file, or with `--user` the user's own. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { MossError } from '../../core/error.ts';
import { DEFINITIONS, defaultSettings, isSetting, loadSettings, userSettingsFile, type Settings } from '../config/settings.ts';
import type { Context } from './context.ts';
import { flagOption } from './options.ts';

export type Origin = 'default' | 'user' | 'root';

export interface Setting {
  name: keyof Settings;
  value: Settings[keyof Settings];
  origin: Origin;
  meaning: string;
}

/** All settings with the file that decided; one that a file sets to the default counts as the default. */
export async function currentSettings({ layout, environment }: Context): Promise<Setting[]> {
  const user = userSettingsFile(environment);
  const [initial, own, all] = [defaultSettings(), await loadSettings([user]), await loadSettings([user, layout.settings])];
  return Object.keys(DEFINITIONS).flatMap((name) => {
    if (!isSetting(name)) return [];
    const origin: Origin = same(all[name], own[name]) ? (same(own[name], initial[name]) ? 'default' : 'user') : 'root';
    return [{ name, value: all[name], origin, meaning: DEFINITIONS[name].meaning }];
  });
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** @throws MossError `usage` */
export function requireSetting(name: string): keyof Settings {
  if (isSetting(name)) return name;
  throw new MossError('usage', `there is no setting ${name}`, { hint: `The settings are ${Object.keys(DEFINITIONS).join(', ')}.` });
}

/** The file that is changed, whose directory is made. */
export function settingsFile({ layout, environment }: Context, options: Record<string, unknown>): string {
  const file = flagOption(options, 'user') ? userSettingsFile(environment) : layout.settings;
  mkdirSync(dirname(file), { recursive: true });
  return file;
}

export function formatSetting(value: Setting['value']): string {
  return Array.isArray(value) ? value.join(',') : String(value);
}
