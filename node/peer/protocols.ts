/** Tickets for the bulk carrier. */
export const BULK = '/moss/bulk/1';
