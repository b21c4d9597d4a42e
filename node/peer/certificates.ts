/**
 * The certificates of WebRTC-direct: browsers know them by their hashes, which stand in this peer's addresses. Each is
 * kept, so that an address stays; a new one is made long before the old one ends, and both are announced meanwhile.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { base64url } from 'multiformats/bases/base64';
import { create as createDigest } from 'multiformats/hashes/digest';
import { nodeHasher } from '../hasher.ts';
import { writeFileDurably } from '../store/durable.ts';

export interface KeptCertificate {
  /** PEM. */
  pem: string;
  privateKey: string;
  /** Multibase, as it stands in an address. */
  certhash: string;
  /** Milliseconds since the epoch: when it was made. */
  made: number;
  /** The UDP port that it is shown on: 0 before there is one. */
  port: number;
}

/** Milliseconds from one certificate to the next, and for which each lasts: so an address holds for two weeks at least. */
export const ROTATION = 14 * 24 * 3600_000;
const LIFETIME = 2 * ROTATION;
/** Another machine's clock may be behind. */
const SLACK = 24 * 3600_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const SHA2_256 = 0x12;

export class Certificates {
  readonly #path: string;
  #kept: KeptCertificate[];

  /** @param path of the file that they are kept in, with mode 0600 */
  constructor(path: string) {
    this.#path = path;
    this.#kept = read(path);
  }

  /** Those to be shown, the newest first: one, or two. */
  get current(): readonly KeptCertificate[] {
    return this.#kept;
  }

  /**
   * Makes a certificate where the newest is too old or there is none, and forgets those that ended.
   *
   * @param now milliseconds since the epoch
   * @returns whether anything changed
   */
  async renew(now: number): Promise<boolean> {
    const valid = this.#kept.filter(({ made }) => now < made + LIFETIME);
    const [newest] = valid;
    const isDue = newest === undefined || now >= newest.made + ROTATION;
    if (!isDue && valid.length === this.#kept.length) return false;
    this.#kept = isDue ? [await makeCertificate(now), ...valid].slice(0, 2) : valid;
    this.#write();
    return true;
  }

  /** Remembers the port that a certificate is shown on. */
  placed(certhash: string, port: number): void {
    const found = this.#kept.find((each) => each.certhash === certhash);
    if (found === undefined || found.port === port) return;
    found.port = port;
    this.#write();
  }

  #write(): void {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    writeFileDurably(this.#path, `${JSON.stringify(this.#kept)}\n`, 0o600);
  }
}

function read(path: string): KeptCertificate[] {
  if (!existsSync(path)) return [];
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return Array.isArray(value) ? value.filter(isCertificate) : [];
  } catch {
    // What is damaged is made anew: the addresses change then.
    return [];
  }
}

function isCertificate(value: unknown): value is KeptCertificate {
  if (typeof value !== 'object' || value === null) return false;
  const { pem, privateKey, certhash, made, port }: Partial<Record<string, unknown>> = { ...value };
  return typeof pem === 'string' && typeof privateKey === 'string' && typeof certhash === 'string' && typeof made === 'number' && typeof port === 'number';
}

async function makeCertificate(now: number): Promise<KeptCertificate> {
  // Rarely needed, and slow to load.
  await import('reflect-metadata');
  const { BasicConstraintsExtension, PemConverter, X509CertificateGenerator } = await import('@peculiar/x509');
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString('hex'),
      name: 'CN=moss',
      notBefore: new Date(now - SLACK),
      notAfter: new Date(now + LIFETIME + SLACK),
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [new BasicConstraintsExtension(false, undefined, true)],
    },
    crypto,
  );
  const digest = nodeHasher.sha256(new Uint8Array(certificate.rawData));
  return {
    pem: certificate.toString('pem'),
    privateKey: PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY'),
    certhash: base64url.encode(createDigest(SHA2_256, digest).bytes),
    made: now,
    port: 0,
  };
}
