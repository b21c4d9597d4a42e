/** The words of the command line. What is behind each is loaded when it is asked for. */
import { REPOSITORY_VERBS } from './repository-verbs.ts';
import { SHARING_VERBS } from './sharing-verbs.ts';
import type { Group, OptionRow, Verb } from './verb.ts';

const COMPONENTS: OptionRow[] = [
  ['--with <components>', 'bring these components, although a setting leaves them out', 'list'],
  ['--without <components>', 'leave these components out: doc, man, locale, dev, debug', 'list'],
];

export const VERBS: (Verb | Group)[] = [
  {
    usage: 'install <package...>',
    summary: 'install packages and what they need',
    aliases: ['it'],
    options: [...COMPONENTS, ['--recommends', 'bring what is recommended, too']],
    completes: 'available',
    load: () => import('./install.ts'),
  },
  {
    usage: 'remove <package...>',
    summary: 'remove packages, and what nothing needs any more',
    aliases: ['rm'],
    options: [['--keep-orphans', 'leave packages that nothing needs any more'], ['--allow-essential', 'remove even what the system needs to run']],
    completes: 'installed',
    load: () => import('./remove.ts'),
  },
  {
    usage: 'sync [package...]',
    summary: 'bring everything installed, or some packages, to the newest versions',
    aliases: ['up'],
    options: [
      ['-u, --update', 'ask the repositories before: the default'],
      ['--no-update', 'take what the repositories said last'],
      ['--keep-orphans', 'leave packages that nothing needs any more'],
      ...COMPONENTS,
    ],
    completes: 'installed',
    load: () => import('./sync.ts'),
  },
  {
    usage: 'search <word...>',
    summary: 'find packages by name and summary',
    aliases: ['sr'],
    load: () => import('./search.ts'),
  },
  { usage: 'info <package...>', summary: 'show what is known of packages', completes: 'available', load: () => import('./info.ts') },
  {
    usage: 'list [what]',
    summary: 'list packages: installed (as without a word), explicit, available, sync',
    options: [
      ['--installed', 'what is installed'],
      ['-e, --explicit', 'what was asked for by name'],
      ['--available', 'what the repositories have'],
      ['--sync', 'what `moss sync` would bring to a newer version'],
    ],
    load: () => import('./list.ts'),
  },
  { usage: 'files <package>', summary: 'list the files of an installed package', completes: 'installed', load: () => import('./files.ts') },
  {
    usage: 'owner <path...>',
    summary: 'tell which package a file belongs to',
    aliases: ['sf', 'search-file'],
    completes: 'files',
    load: () => import('./owner.ts'),
  },
  {
    usage: 'verify [package...]',
    summary: 'hold every installed file against what was signed',
    options: [
      ['--repair', 'fetch again and mend what is broken'],
      ['--quick', 'look at sizes, times and modes alone'],
      ['--restore-config', "put back the packages' own configuration files; yours stay beside, as .moss-old"],
    ],
    completes: 'installed',
    load: () => import('./verify.ts'),
  },
  {
    name: 'state',
    summary: 'the states of the system: each change makes a new one, and any can be gone back to',
    verbs: [
      { usage: 'list', summary: 'list the states, newest last', load: () => import('./state-list.ts') },
      { usage: 'diff <from> [to]', summary: 'what differs between two states, or one and the active', completes: 'states', load: () => import('./state-diff.ts') },
      { usage: 'activate <state>', summary: 'go to a state', completes: 'states', load: () => import('./state-activate.ts') },
      { usage: 'remove <state...>', summary: 'remove states, and what only they needed', completes: 'states', load: () => import('./state-remove.ts') },
      { usage: 'pin <state...>', summary: 'keep states whatever is pruned', completes: 'states', load: () => import('./state-pin.ts') },
      { usage: 'unpin <state...>', summary: 'let states go when they are old', completes: 'states', load: () => import('./state-unpin.ts') },
      {
        usage: 'prune',
        summary: 'remove all but the newest states; never the active one, nor pinned ones',
        options: [['-k, --keep <number>', 'how many to keep (the setting keep-states, or 10)']],
        load: () => import('./state-prune.ts'),
      },
      {
        usage: 'verify [state]',
        summary: 'hold every file of a state against what was signed',
        options: [
          ['--repair', 'fetch again and mend what is broken'],
          ['--quick', 'look at sizes, times and modes alone'],
        ],
        completes: 'states',
        load: () => import('./state-verify.ts'),
      },
    ],
  },
  {
    usage: 'run <command...>',
    summary: 'run a program from inside the root: moss run -- git --version',
    options: [
      ['--state <number>', 'inside this state, rather than the active one'],
      ['--here', 'bring the working directory along and start in it'],
      ['--tool <name>', 'only with unshare, bubblewrap or chroot'],
    ],
    ownSignals: true,
    load: () => import('./run.ts'),
  },
  {
    name: 'cache',
    summary: 'what the root keeps beside its states',
    verbs: [
      { usage: 'show', summary: 'how much there is', load: () => import('./cache-show.ts') },
      { usage: 'prune', summary: 'remove what no state needs', load: () => import('./cache-prune.ts') },
    ],
  },
  ...REPOSITORY_VERBS,
  ...SHARING_VERBS,
  {
    name: 'config',
    summary: 'the settings of the root, and your own for all roots',
    verbs: [
      { usage: 'list', summary: 'list all settings', load: () => import('./config-list.ts') },
      { usage: 'get <name>', summary: 'show a setting', completes: 'settings', load: () => import('./config-get.ts') },
      {
        usage: 'set <name> <value>',
        summary: 'change a setting of the root',
        options: [['--user', 'for all of your roots']],
        completes: 'settings',
        load: () => import('./config-set.ts'),
      },
      {
        usage: 'unset <name>',
        summary: 'take a setting of the root back',
        options: [['--user', 'the one for all of your roots']],
        completes: 'settings',
        load: () => import('./config-unset.ts'),
      },
    ],
  },
  {
    usage: 'completion <shell>',
    summary: 'print what completes these words in bash, zsh or fish',
    completes: 'shells',
    load: () => import('./completion.ts'),
  },
  { usage: 'complete <what>', summary: 'print names for a completion, one a line', hidden: true, load: () => import('./complete.ts') },
];

export const GLOBAL_OPTIONS: OptionRow[] = [
  ['-D, --root <directory>', 'the root to work on (MOSS_ROOT, or $XDG_DATA_HOME/moss)'],
  ['--json', 'one JSON document on stdout, events as JSON lines on stderr'],
  ['-y, --yes', 'do not ask'],
  ['--dry-run', 'show what would be done, and stop'],
  ['-q, --quiet', 'no words but results, warnings and errors'],
  ['-v, --verbose', 'more details'],
  ['--no-progress', 'no progress line'],
];
