/** The one policy of moss under `require-trusted-types-for 'script'`: a site lists it as `trusted-types moss`. */

interface TrustedTypePolicyFactory {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): { createScriptURL(url: string): string };
}

const factory = (globalThis as { trustedTypes?: TrustedTypePolicyFactory }).trustedTypes;
let policy: ReturnType<TrustedTypePolicyFactory['createPolicy']> | undefined;

/** Only what this page made itself. @throws TypeError for any other address */
export function trustedScriptUrl(url: string): string {
  if (factory === undefined) return checked(url);
  policy ??= factory.createPolicy('moss', { createScriptURL: checked });
  // With trusted types it is an object that `Worker` takes for its text.
  return policy.createScriptURL(url);
}

function checked(url: string): string {
  if (!url.startsWith('blob:')) throw new TypeError('a script may only be started from a blob');
  return url;
}
