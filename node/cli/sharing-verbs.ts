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
    usage: 'donate <url>',
    summary: 'hold packages of a repository that this machine does not use, and serve them to anybody',
    options: [
      ['--rate <bytes>', 'a second that go out, at most; 0 for no limit (1MB)'],
      ['--month <bytes>', 'a month that go out, at most; 0 for no limit (20GB)'],
      ['--quota <bytes>', 'of disk, at most (500MB)'],
      ['--hours <times>', 'of the day, such as 22:00-06:00 (always)'],
      ['--fingerprint <digits>', 'of the root keys of the repository, as its publisher gives it'],
      ['--host <address>', 'to listen on (all of this machine\'s)'],
      ['--port <number>', 'to listen on; 0 for one that is chosen once and kept (0)'],
      ['--webtransport', 'let browsers in by WebTransport, too'],
      ['--delete', 'remove all that is held for the repository, and stop'],
    ],
    load: () => import('./donate.ts'),
  },
  {
    usage: 'peers',
    summary: 'list the machines that this one shares with, how far they are, and who was banned',
    options: [['-a, --all', 'those that were met before, too']],
    load: () => import('./peers.ts'),
  },
  { usage: 'stats', summary: 'show how much was fetched and served, by month and kind of source', load: () => import('./stats.ts') },
];
