import assert from 'node:assert/strict';
import { test } from 'node:test';
import { componentOf } from '../../../core/dag/component.ts';

const EXPECTED: Record<string, string[]> = {
  main: [
    'etc/hosts',
    'usr',
    'usr/bin/ls',
    'usr/lib/x86_64-linux-gnu/libz.so.1',
    'usr/lib/x86_64-linux-gnu/libz.so',
    'usr/lib/python3/dist-packages/include/a.py',
    'usr/lib/ocaml/stdlib.a',
    'usr/share/doc',
    'usr/share/doc/pea',
    'usr/share/doc/pea/copyright',
    'usr/share/documents/a',
    'usr/share/manual/a',
    'usr/share/locale/locale.alias',
    'usr/lib/locale/C.utf8/LC_CTYPE',
    'usr/share/cmake-3.25/Modules/A.cmake',
    'usr/share/debhelper/a',
    'opt/usr/share/man/man1/a.1',
  ],
  dev: [
    'usr/include',
    'usr/include/stdio.h',
    'usr/include/x86_64-linux-gnu/bits/types.h',
    'usr/lib/libc.a',
    'usr/lib/x86_64-linux-gnu/libc.a',
    'usr/lib64/libc.la',
    'usr/lib/x86_64-linux-gnu/pkgconfig/zlib.pc',
    'usr/share/pkgconfig/a.pc',
    'usr/lib/cmake/a/aConfig.cmake',
    'usr/share/aclocal/a.m4',
  ],
  doc: ['usr/share/doc/pea/README.gz', 'usr/share/doc/pea/examples/copyright', 'usr/share/gtk-doc/html/a', 'usr/share/info/a.info.gz', 'usr/share/help/de/a/index.page'],
  man: ['usr/share/man', 'usr/share/man/man1/ls.1.gz', 'usr/share/man/de/man1/ls.1.gz'],
  debug: ['usr/lib/debug/.build-id/ab/cd.debug'],
  'locale/de': ['usr/share/locale/de', 'usr/share/locale/de/LC_MESSAGES/a.mo', 'usr/share/locale-langpack/de/LC_MESSAGES/a.mo'],
  'locale/pt_BR': ['usr/share/locale/pt_BR/LC_MESSAGES/a.mo'],
  'locale/sr@latin': ['usr/share/locale/sr@latin/LC_MESSAGES/a.mo'],
  'locale/zh-Hant': ['usr/share/locale/zh-Hant/LC_MESSAGES/a.mo'],
  'locale/en_GB.UTF-8': ['usr/lib/locale/en_GB.UTF-8/LC_CTYPE'],
};

for (const [component, paths] of Object.entries(EXPECTED)) {
  for (const path of paths) {
    test(`${path} is in ${component}`, () => assert.equal(componentOf(path, 'deb'), component));
  }
}
