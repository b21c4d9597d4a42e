/** The words about repositories: those that a root installs from, and one's own. */
import type { Group, OptionRow, Verb } from './verb.ts';

const PASSPHRASE: OptionRow = ['--passphrase-file <file>', 'opens the private keys; or MOSS_PASSPHRASE'];

const KEY_VERBS: Group = {
  name: 'key',
  summary: 'the keys of your own repository',
  verbs: [
    { usage: 'list <directory>', summary: 'list the keys, what each signs, and where it is', completes: 'directories', load: () => import('./repo-key-list.ts') },
    {
      usage: 'create <directory>',
      summary: 'make a key in a directory, for a machine without a network',
      options: [['--name <name>', 'the beginning of the file\'s name (root)'], ['--passphrase-file <file>', 'encrypts the private key; or MOSS_PASSPHRASE']],
      completes: 'directories',
      load: () => import('./repo-key-create.ts'),
    },
    {
      usage: 'add <directory> <role>',
      summary: 'give a role one more key: root, targets, snapshot or timestamp',
      options: [['--public <key>', 'this public key, made elsewhere: a PEM file, or 64 hex digits'], PASSPHRASE],
      completes: 'directories',
      load: () => import('./repo-key-add.ts'),
    },
    {
      usage: 'rotate <directory> <role> [key]',
      summary: 'replace a key of a role by a new one',
      options: [PASSPHRASE],
      completes: 'directories',
      load: () => import('./repo-key-rotate.ts'),
    },
    {
      usage: 'revoke <directory> <role> <key>',
      summary: 'take a key from a role',
      options: [PASSPHRASE],
      completes: 'directories',
      load: () => import('./repo-key-revoke.ts'),
    },
    {
      usage: 'threshold <directory> <role> <number>',
      summary: 'how many keys of a role must sign',
      options: [PASSPHRASE],
      completes: 'directories',
      load: () => import('./repo-key-threshold.ts'),
    },
    {
      usage: 'export <directory> <file>',
      summary: 'write the root that waits for signatures, or a renewed one, to be signed elsewhere',
      completes: 'directories',
      load: () => import('./repo-key-export.ts'),
    },
    {
      usage: 'sign <file> <keys>',
      summary: 'on the machine with the root keys: sign an exported root with the keys of a directory',
      options: [PASSPHRASE],
      completes: 'files',
      load: () => import('./repo-key-sign.ts'),
    },
    {
      usage: 'import <directory> <file>',
      summary: 'take in the signatures of an exported root, and publish it once there are enough',
      options: [PASSPHRASE],
      completes: 'directories',
      load: () => import('./repo-key-import.ts'),
    },
  ],
};

export const REPOSITORY_VERBS: (Verb | Group)[] = [
  {
    name: 'repo',
    summary: 'the repositories that packages come from, and your own',
    verbs: [
      {
        usage: 'add <name> <url>',
        summary: 'add a repository',
        aliases: ['ar'],
        options: [['--fingerprint <digits>', 'of its root keys, from the publisher: nothing is asked']],
        load: () => import('./repo-add.ts'),
      },
      { usage: 'list', summary: 'list the repositories', aliases: ['lr'], load: () => import('./repo-list.ts') },
      { usage: 'remove <name>', summary: 'remove a repository; what came from it stays', aliases: ['rr'], completes: 'repositories', load: () => import('./repo-remove.ts') },
      {
        usage: 'update [name...]',
        summary: 'fetch what the repositories signed last',
        aliases: ['ur'],
        completes: 'repositories',
        load: () => import('./repo-update.ts'),
      },
      {
        usage: 'init <directory>',
        summary: 'make a repository of your own, and its keys',
        options: [
          ['--name <name>', 'what the repository is called'],
          ['--root-keys <number>', 'how many root keys to make (1)'],
          ['--threshold <number>', 'how many of them must sign (1)'],
          ['--passphrase-file <file>', 'encrypt the private keys with what is in this file; or MOSS_PASSPHRASE'],
        ],
        completes: 'directories',
        load: () => import('./repo-init.ts'),
      },
      { usage: 'status <directory>', summary: 'versions, expiries and what your repository needs', completes: 'directories', load: () => import('./repo-status.ts') },
      {
        usage: 'refresh <directory>',
        summary: 'sign again that the revision is the latest: from cron',
        options: [PASSPHRASE],
        completes: 'directories',
        load: () => import('./repo-refresh.ts'),
      },
      KEY_VERBS,
    ],
  },
  {
    usage: 'publish <directory> [package...]',
    summary: 'publish packages: .deb, .stone, stone.index, directories',
    options: [
      ['--name <name>', 'of a directory that does not say'],
      ['--package-version <version>', 'of a directory that does not say'],
      ['--prefix <path>', 'where the tree of a directory goes'],
      ['--remove <packages>', 'take these out: name or name=version, with commas', 'list'],
      ['--deltas <number>', 'releases before the newest one that updates may start from (3)'],
      ['--delta-share <percent>', 'bytes of the deltas of a package, at most, of its frames (100)'],
      PASSPHRASE,
    ],
    completes: 'files',
    load: () => import('./publish.ts'),
  },
  {
    usage: 'serve <directory>',
    summary: 'serve a repository or its site over HTTP, and as a peer',
    options: [
      ['--port <number>', 'to listen on; 0 for any that is free (8787)'],
      ['--host <address>', 'to listen on (127.0.0.1): 0.0.0.0 for all of this machine\'s'],
      ['--no-peer', 'be a web server alone'],
      ['--relay', 'help peers that cannot be reached to meet others'],
      ['--webtransport', 'let browsers in by WebTransport, too'],
      ['--peer-port <number>', 'of the peer; 0 for one that is chosen once and kept (0)'],
      ['--announce <multiaddrs>', 'where the peer is reached, if this machine cannot know', 'list'],
      ['--bootstrap <multiaddrs>', 'peers to meet at the start', 'list'],
    ],
    completes: 'directories',
    load: () => import('./serve.ts'),
  },
];
