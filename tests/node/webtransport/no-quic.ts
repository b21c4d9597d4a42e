import { loadQuiche } from '../../../node/webtransport/quiche.ts';

/** For `{ skip: NO_QUIC }`: why nobody can listen for WebTransport here, or `false`. */
export const NO_QUIC: string | false = reason();

function reason(): string | false {
  try {
    loadQuiche();
    return false;
  } catch (error) {
    return String(error);
  }
}
