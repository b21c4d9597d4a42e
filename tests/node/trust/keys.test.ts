import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { createKey, listKeys, loadSigner } from '../../../node/trust/keys.ts';
import { nodeVerifier } from '../../../node/trust/verifier.ts';

const here = await mkdtemp(join(tmpdir(), 'moss-keys-'));
after(() => rm(here, { recursive: true, force: true }));

const message = Buffer.from('what is signed');
const opensslMissing = spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not on this machine';

function refused(code: string): (error: { code: string }) => boolean {
  return (error) => error.code === code;
}

void suite('key files', () => {
  void test('a key signs, and its public half checks it', async () => {
    const { file, key } = await createKey({ directory: join(here, 'plain'), name: 'root' });
    const signer = await loadSigner(file);
    assert.deepEqual(signer.key, key);
    const signature = await signer.sign(message);
    assert.equal(await nodeVerifier().verify(key, signature, message), true);
    assert.equal(await nodeVerifier().verify(key, signature, Buffer.from('something else')), false);
  });

  void test('they are for their owner alone, whatever the mask says', async () => {
    const before = process.umask(0);
    const { file } = await createKey({ directory: join(here, 'mask'), name: 'root' });
    process.umask(before);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    await chmod(file, 0o640);
    assert.deepEqual((await listKeys(join(here, 'mask'))).map((key) => key.exposed), [true]);
  });

  void test('a passphrase is needed where one was given, and the id is known without it', async () => {
    const directory = join(here, 'secret');
    const { file, keyId } = await createKey({ directory, name: 'root', passphrase: 'correct horse' });
    assert.doesNotMatch(await readFile(file, 'utf8'), /BEGIN PRIVATE KEY/);
    const signer = await loadSigner(file, 'correct horse');
    assert.equal(await nodeVerifier().verify(signer.key, await signer.sign(message), message), true);
    await assert.rejects(loadSigner(file), refused('bad-passphrase'));
    await assert.rejects(loadSigner(file, 'correct horsf'), refused('bad-passphrase'));
    await assert.rejects(createKey({ directory, name: 'root', passphrase: '' }), refused('usage'));
    assert.deepEqual((await listKeys(directory)).map((key) => [key.keyId, key.encrypted]), [[keyId, true]]);
  });

  void test('OpenSSL reads them', { skip: opensslMissing }, async () => {
    const { file, key } = await createKey({ directory: join(here, 'openssl'), name: 'root', passphrase: 'words' });
    const text = execFileSync('openssl', ['pkey', '-in', file, '-passin', 'pass:words', '-text', '-noout'], { encoding: 'utf8' });
    const shown = (text.split('pub:')[1] ?? '').replaceAll(/[\s:]/g, '');
    assert.equal(shown, key.public);
  });

  void test('ECDSA and RSA keys from elsewhere sign too', async () => {
    const pairs = [generateKeyPairSync('ec', { namedCurve: 'P-256' }), generateKeyPairSync('rsa', { modulusLength: 2048 })];
    for (const { privateKey } of pairs) {
      const file = join(here, `${privateKey.asymmetricKeyType}.pem`);
      await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
      const signer = await loadSigner(file);
      const signature = await signer.sign(message);
      assert.equal(await nodeVerifier().verify(signer.key, signature, message), true);
      assert.equal(await nodeVerifier().verify({ ...signer.key, scheme: 'ed25519' }, signature, message), false);
    }
  });

  void test('damaged files are told from missing ones, and from keys of other kinds', async () => {
    const { file } = await createKey({ directory: join(here, 'damaged'), name: 'root' });
    const other = await createKey({ directory: join(here, 'damaged'), name: 'other' });
    const [mine, theirs] = [await readFile(file, 'utf8'), await readFile(other.file, 'utf8')];
    await writeFile(file, mine.slice(0, mine.indexOf('-----BEGIN PRIVATE')) + theirs.slice(theirs.indexOf('-----BEGIN PRIVATE')));
    await assert.rejects(loadSigner(file), refused('bad-metadata'));
    await writeFile(file, 'nonsense');
    await assert.rejects(loadSigner(file), refused('bad-metadata'));
    await assert.rejects(loadSigner(join(here, 'nowhere.pem')), refused('not-found'));
    const ed448 = join(here, 'ed448.pem');
    await writeFile(ed448, generateKeyPairSync('ed448').privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await assert.rejects(loadSigner(ed448), refused('unsupported'));
    assert.deepEqual(await listKeys(join(here, 'no-such-directory')), []);
  });
});

void suite('the verifier', () => {
  void test('says no to what it does not know, and never throws', async () => {
    const verifier = nodeVerifier();
    const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const keys = [
      { keytype: 'ed25519', scheme: 'ed25519', public: 'not hex' },
      { keytype: 'ed25519', scheme: 'ed25519', public: '00'.repeat(31) },
      { keytype: 'rsa', scheme: 'rsassa-pss-sha256', public: small },
      { keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256', public: p384 },
      { keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256', public: '-----BEGIN PUBLIC KEY-----' },
      { keytype: 'sphincs', scheme: 'sphincs-shake-128s', public: '' },
      { keytype: 'rsa', scheme: 'constructor', public: '' },
    ];
    for (const key of keys) {
      for (const signature of [new Uint8Array(0), new Uint8Array(64), new Uint8Array(1000)]) {
        assert.equal(await verifier.verify(key, signature, message), false, key.scheme);
      }
    }
  });
});
