/** The name of the exchange among the protocols of a peer. */
export const EXCHANGE = '/moss/exchange/1';
