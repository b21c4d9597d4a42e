import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alternativesOf } from '../../../node/source/alternatives.ts';

/** From the `postinst` of vim, shortened. */
const REAL = `#! /bin/sh
set -e
case "$1" in
  configure)
    for i in vim vimdiff; do
      update-alternatives --install /usr/bin/$i $i /usr/bin/vim.basic 30
    done
    update-alternatives --install /usr/bin/editor editor /usr/bin/vim.basic 30 \\
      --slave /usr/share/man/man1/editor.1.gz editor.1.gz /usr/share/man/man1/vim.1.gz \\
      --slave /usr/share/man/da/man1/editor.1.gz editor.da.1.gz \\
              "/usr/share/man/da/man1/vim.1.gz"
    ;;
esac
`;

test('a literal call with slaves is read; one with a variable is not', () => {
  assert.deepEqual(alternativesOf(REAL), [
    {
      link: 'usr/bin/editor',
      name: 'editor',
      path: 'usr/bin/vim.basic',
      priority: 30,
      slaves: [
        { link: 'usr/share/man/man1/editor.1.gz', name: 'editor.1.gz', path: 'usr/share/man/man1/vim.1.gz' },
        { link: 'usr/share/man/da/man1/editor.1.gz', name: 'editor.da.1.gz', path: 'usr/share/man/da/man1/vim.1.gz' },
      ],
    },
  ]);
});

const AWK = { link: 'usr/bin/awk', name: 'awk', path: 'usr/bin/mawk', priority: 5, slaves: [] };
const CALL = 'update-alternatives --install /usr/bin/awk awk /usr/bin/mawk 5';

const READ: Record<string, string> = {
  'a plain call': CALL,
  'a call with options before': CALL.replace('--install', '--quiet --force --install'),
  'a call by its path': `/usr/bin/${CALL}`,
  'paths in bin': CALL.replace('/usr/bin/mawk', '/bin/mawk'),
  'single quotes': CALL.replace('/usr/bin/mawk', "'/usr/bin/mawk'"),
  'a call after then': `if [ "$1" = configure ]; then ${CALL}; fi`,
  'a call after and': `true && ${CALL} || exit 1`,
  'a call in a function': `setup() { ${CALL}\n}`,
  'output thrown away': `${CALL} > /dev/null 2>&1`,
  'a comment behind': `${CALL} # $comment`,
  'a call after a here-document': `cat <<EOF\n${CALL.replace('awk', 'other')}\nEOF\n${CALL}`,
  'a call after an apostrophe in a comment': `# don't\n${CALL}`,
};
for (const [name, script] of Object.entries(READ)) test(`read: ${name}`, () => assert.deepEqual(alternativesOf(script), [AWK]));

const LEFT_OUT: Record<string, string> = {
  'a variable': CALL.replace('/usr/bin/mawk', '$path'),
  'a variable in double quotes': CALL.replace('/usr/bin/mawk', '"$dir/mawk"'),
  'a substitution': CALL.replace('5', '$(priority)'),
  'a substitution in backquotes': CALL.replace('5', '`priority`'),
  'a pattern': CALL.replace('/usr/bin/mawk', '/usr/bin/mawk*'),
  'a removal': 'update-alternatives --remove awk /usr/bin/mawk',
  'a priority that is none': CALL.replace('5', 'high'),
  'too few words': CALL.replace(' 5', ''),
  'words behind': `${CALL} and more`,
  'a slave that is cut': `${CALL} --slave /usr/share/a a`,
  'a path that leads upwards': CALL.replace('/usr/bin/mawk', '/usr/../../etc/shadow'),
  'a path that is relative': CALL.replace('/usr/bin/mawk', 'mawk'),
  'a name with a slash': CALL.replace(' awk ', ' ../awk '),
  'a comment': `# ${CALL}`,
  'a here-document': `cat <<EOF\n${CALL}\nEOF`,
  'a here-document without an end': `cat <<EOF\n${CALL}\n`,
  'an open quote': `'${CALL}`,
  nothing: '',
};
for (const [name, script] of Object.entries(LEFT_OUT)) test(`left out: ${name}`, () => assert.deepEqual(alternativesOf(script), []));

test('a hostile script costs little time', { timeout: 600_000 }, () => {
  for (const piece of ['"', "'", '\\', '<<a\n', '$(', ' \\\n', '#', '"\\', '<', 'a"\\"', '\n']) assert.deepEqual(alternativesOf(piece.repeat(200_000)), []);
  assert.deepEqual(alternativesOf(`"${'a'.repeat(2 ** 20)}`), []);
  assert.deepEqual(alternativesOf(`"${'\\a'.repeat(2 ** 20)}"`), []);
  assert.deepEqual(alternativesOf(`"${'a'.repeat(2 ** 24)}"`), []);
});
