// The name that this browser proposes for itself when it pairs, so that people find it in the list of clients.

interface NavigatorWithHints {
  userAgent: string;
  userAgentData?: { brands?: readonly { brand: string }[]; platform?: string };
}

const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/Edg\//, 'edge'],
  [/OPR\//, 'opera'],
  [/Firefox\//, 'firefox'],
  [/Chrome\//, 'chrome'],
  [/Safari\//, 'safari'],
];
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/iPhone|iPad/, 'ios'],
  [/Android/, 'android'],
  [/Windows/, 'windows'],
  [/Mac OS X|Macintosh/, 'mac'],
  [/CrOS/, 'chromeos'],
  [/Linux|BSD/, 'linux'],
];

/** Like `firefox-linux`; letters and hyphens only. */
export function clientName({ userAgent, userAgentData }: NavigatorWithHints): string {
  const brands = userAgentData?.brands?.map(({ brand }) => brand) ?? [];
  const isChromium =
    brands.includes('Chromium') && !brands.some((brand) => /^(Google|Microsoft|Opera)/.test(brand));
  const browser = isChromium ? 'chromium' : firstMatch(BROWSERS, userAgent, 'browser');
  return `${browser}-${firstMatch(SYSTEMS, userAgent, 'computer')}`;
}

const firstMatch = (
  choices: readonly (readonly [RegExp, string])[],
  text: string,
  otherwise: string,
): string => choices.find(([pattern]) => pattern.test(text))?.[1] ?? otherwise;
