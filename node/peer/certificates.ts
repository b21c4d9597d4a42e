/**
 * The certificates of WebRTC-direct and WebTransport: browsers know them by their hashes, which stand in this peer's addresses. Each is
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

/** In milliseconds. */
export interface CertificateTerm {
  /** From one certificate to the next; each lasts twice as long, so an address holds for this time at least. */
  rotation: number;
  /** Another machine's clock may be behind, or ahead. */
  slack: number;
}

const HOUR = 3600_000;
export const BY_WEBRTC: CertificateTerm = { rotation: 14 * 24 * HOUR, slack: 24 * HOUR };
/** Browsers take none that is made for more than 14 days (https://www.w3.org/TR/webtransport/#custom-certificate-requirements). */
export const BY_WEBTRANSPORT: CertificateTerm = { rotation: 6 * 24 * HOUR, slack: 23 * HOUR };
/** As many as are shown, and those that ended since: who knows an address may know one of them. */
const KEPT = 4;
const SHOWN = 2;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const SHA2_256 = 0x12;

export class Certificates {
  readonly #path: string;
  readonly #term: CertificateTerm;
  /** The newest first. */
  #kept: KeptCertificate[];
  #current: KeptCertificate[];

  /** @param path of the file that they are kept in, with mode 0600 */
  constructor(path: string, term: CertificateTerm = BY_WEBRTC) {
    this.#path = path;
    this.#term = term;
    this.#kept = read(path);
    this.#current = this.#kept.slice(0, SHOWN);
  }

  /** Those to be shown, the newest first: one, or two. */
  get current(): readonly KeptCertificate[] {
    return this.#current;
  }

  /** Of those, and of some that ended: multibase. */
  get hashes(): string[] {
    return this.#kept.map(({ certhash }) => certhash);
  }

  /**
   * Makes a certificate where the newest is too old or there is none, and forgets those that ended.
   *
   * @param now milliseconds since the epoch
   * @returns whether anything changed
   */
  async renew(now: number): Promise<boolean> {
    const { rotation } = this.#term;
    const isValid = ({ made }: KeptCertificate): boolean => now < made + 2 * rotation;
    const [newest] = this.#kept;
    const isDue = newest === undefined || now >= newest.made + rotation;
    if (!isDue && this.#current.every(isValid)) return false;
    if (isDue) this.#kept = [await makeCertificate(now, this.#term), ...this.#kept].slice(0, KEPT);
    this.#current = this.#kept.filter(isValid).slice(0, SHOWN);
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

async function makeCertificate(now: number, { rotation, slack }: CertificateTerm): Promise<KeptCertificate> {
  // Rarely needed, and slow to load.
  await import('reflect-metadata');
  const { BasicConstraintsExtension, PemConverter, X509CertificateGenerator } = await import('@peculiar/x509');
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString('hex'),
      name: 'CN=moss',
      notBefore: new Date(now - slack),
      notAfter: new Date(now + 2 * rotation + slack),
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
