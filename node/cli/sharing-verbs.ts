/** The words about other machines: sharing with them, and what went to and fro. */
import type { Group, Verb } from './verb.ts';

export const SHARING_VERBS: (Verb | Group)[] = [
  {
    name: 'share',
    summary: 'whether other machines may ask this one for files, and are asked',
    verbs: [
      {
        usage: 'on',
        summary: 'share from now on',
        options: [['--scope <scope>', 'lan: with the machines on the local network; swarm: with anybody (lan)']],
        load: () => import('./share-on.ts'),
      },
      { usage: 'off', summary: 'neither serve nor ask other machines, and end the daemon', load: () => import('./share-off.ts') },
      { usage: 'status', summary: 'show what is shared, with whom, and how much', load: () => import('./share-status.ts') },
    ],
  },
  {
    usage: 'daemon',
    summary: 'serve other machines: starts in the background',
    options: [
      ['--foreground', 'stay here until Ctrl-C'],
      ['--stop', 'end the daemon of this root'],
      ['--install-unit', 'write a systemd unit of yours that runs it, and say what comes next'],
      ['--remove-unit', 'remove that unit'],
    ],
    load: () => import('./daemon.ts'),
  },
  {
    usage: 'peers',
    summary: 'list the machines that this one shares with, how far they are, and who was banned',
    options: [['-a, --all', 'those that were met before, too']],
    load: () => import('./peers.ts'),
  },
  { usage: 'stats', summary: 'show how much was fetched and served, by month and kind of source', load: () => import('./stats.ts') },
];
