import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assert as assertProperty, boolean, property, uint8Array } from 'fast-check';
import { cidOf, DAG_PB, RAW } from '../../../core/dag/cid.ts';
import { fileDag, fileIdFromDigest, fileIdFromLeaves, leafCount, LEAF_SIZE } from '../../../core/dag/file-id.ts';
import { nodeHasher } from '../../../node/hasher.ts';

/** Byte `i` is `31 i mod 251`: made with ipfs-unixfs-importer 17.1.1 and its profile `unixfs-v1-2025` (IPIP-499). */
const PATTERN: [size: number, id: string][] = [
  [0, 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'],
  [1, 'bafkreidogqfzz75tpkmjzjke425xqcrmpcib2p5tg44hnbirumdbpl5adu'],
  [LEAF_SIZE - 1, 'bafkreif72sojhndk72y4mmy7fpus5m3lgbc67niliegat4pbkbtadtkt5e'],
  [LEAF_SIZE, 'bafkreibwc6dahegotd7djqn3re4c5jysfu5wreagtyyka6ejesjluddxju'],
  [LEAF_SIZE + 1, 'bafybeifzdxsmcuajf7xz5zuw4fwbwts6rxvzp4gqe4h4lqn7oef6trkmvi'],
  [2 * LEAF_SIZE, 'bafybeian2xtm5pt5ybt6hxv34lry2z5fk6gfkhsqcqqgogdticfunwwigq'],
  [5 * LEAF_SIZE, 'bafybeic2gikdileztsuhdvhv3tbmgth3me4yvk3i4saxcekegbgh6hdzoa'],
  [5 * LEAF_SIZE + 12_345, 'bafybeie6nscgyx7bynso63gymzwttezhckqqaijeb6f7k3ilcj3fufqoba'],
];

/** Zeros, with 1,024 leaves (one node) and more (two levels), by the same program. */
const ZEROS: [size: number, id: string][] = [
  [1024 * LEAF_SIZE, 'bafybeibqawkaltgjfdebq4no6nmfcvkcw7k52xqzclkwfmrkn6oxw7srmy'],
  [1024 * LEAF_SIZE + 1, 'bafybeigx4uyebjbq65346xh6cjrt6yshbdudzudhnqecwbzvymslxj7gje'],
  [1025 * LEAF_SIZE, 'bafybeigt7wofv4vnxbg3titijasuw4ptg5kfztec4smsk7opdt7z6djoxq'],
];

function leavesOf(size: number, byte: (at: number) => number): Uint8Array[] {
  return Array.from({ length: leafCount(size) }, (_, leaf) => {
    const bytes = new Uint8Array(Math.min(LEAF_SIZE, size - leaf * LEAF_SIZE));
    for (let i = 0; i < bytes.length; i++) bytes[i] = byte(leaf * LEAF_SIZE + i);
    return nodeHasher.sha256(bytes);
  });
}

describe('the id of a file', () => {
  for (const [size, id] of PATTERN) {
    it(`of ${size} bytes is the CID of the unixfs-v1-2025 profile`, async () => {
      assert.equal(await fileIdFromLeaves(leavesOf(size, (at) => (at * 31) % 251), size, nodeHasher), id);
    });
  }

  for (const [size, id] of ZEROS) {
    it(`of ${size} zeros is the CID of the unixfs-v1-2025 profile`, async () => {
      const whole = nodeHasher.sha256(new Uint8Array(LEAF_SIZE));
      const leaves = Array.from({ length: leafCount(size) }, () => whole);
      if (size % LEAF_SIZE > 0) leaves[leaves.length - 1] = nodeHasher.sha256(new Uint8Array(size % LEAF_SIZE));
      assert.equal(await fileIdFromLeaves(leaves, size, nodeHasher), id);
    });
  }

  it('of any digest is the text of its CID', () => {
    assertProperty(
      property(uint8Array({ minLength: 32, maxLength: 32 }), boolean(), (digest, large) => {
        assert.equal(fileIdFromDigest(digest, large ? LEAF_SIZE + 1 : 1), cidOf(large ? DAG_PB : RAW, digest).toString());
      }),
    );
  });

  it('is the SHA-256 of the content up to 1 MiB', () => {
    assert.equal(fileIdFromDigest(nodeHasher.sha256(new Uint8Array()), 0), PATTERN[0]?.[1]);
  });

  it('is refused for another number of leaves than the size has', async () => {
    await assert.rejects(fileIdFromLeaves([], 1, nodeHasher));
    await assert.rejects(fileIdFromLeaves(leavesOf(5, () => 0), LEAF_SIZE + 1, nodeHasher));
  });

  it('stands over nodes that together hold every leaf', async () => {
    const size = 1500 * LEAF_SIZE;
    const { nodes, root } = await fileDag(Array.from({ length: 1500 }, () => new Uint8Array(32)), size, nodeHasher);
    assert.equal(nodes.length, 3);
    assert.equal(nodes.at(-1)?.cid.toString(), root.toString());
    for (const { cid, bytes } of nodes) assert.deepEqual(Uint8Array.from(nodeHasher.sha256(bytes)), Uint8Array.from(cid.multihash.digest));
  });
});
