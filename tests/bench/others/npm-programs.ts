/** Other programs that come by npm: installed on their first use below the cache, so that moss depends on none of them. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, REPOSITORY } from '../programs.ts';

export interface NpmProgram {
  name: string;
  /** Exact versions. */
  dependencies: Readonly<Record<string, string>>;
  overrides?: Readonly<Record<string, string>>;
}

export const WEBTORRENT: NpmProgram = {
  name: 'webtorrent',
  dependencies: { webtorrent: '3.0.21' },
  // The version that it asks for downloads its binary from elsewhere; this one brings it by npm.
  overrides: { 'node-datachannel': '0.33.4' },
};

export const HELIA: NpmProgram = {
  name: 'helia',
  dependencies: {
    helia: '7.1.15',
    '@helia/bitswap': '4.0.19',
    '@helia/libp2p': '2.1.4',
    '@helia/unixfs': '8.0.5',
    '@libp2p/identify': '4.1.14',
    '@libp2p/noise': '17.0.3',
    '@libp2p/tcp': '11.0.28',
    '@libp2p/yamux': '8.0.3',
    '@multiformats/multiaddr': '13.0.3',
    multiformats: '14.0.5',
  },
  // 270 MB that a program of Node has no use for.
  overrides: { 'react-native-webrtc': `file:${join(REPOSITORY, 'node/peer/react-native-webrtc')}` },
};

/**
 * Runs no script of any package.
 *
 * @returns the directory of its modules
 * @throws Error when npm cannot have it
 */
export async function installed(cache: string, { name, dependencies, overrides = {} }: NpmProgram): Promise<string> {
  const home = join(cache, 'others', name);
  const manifest = `${JSON.stringify({ private: true, dependencies, overrides }, undefined, 2)}\n`;
  const done = join(home, `installed-${Object.values(dependencies).join('-')}`);
  if (!existsSync(done)) {
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'package.json'), manifest);
    await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--omit=dev', '--loglevel=error', '--prefix', home]);
    writeFileSync(done, '');
  }
  return join(home, 'node_modules');
}
