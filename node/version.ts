/** The version of moss: as in package.json, which a test holds against this. */
export const version = '0.1.0';
