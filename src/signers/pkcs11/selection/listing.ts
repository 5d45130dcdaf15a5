// Lists of candidates in the messages of errors.

const LISTED_AT_MOST = 20;

/** The things shown in an error, a long list cut short. */
export function listed(shown: readonly string[]): string {
  const more = shown.length - LISTED_AT_MOST;
  return shown.slice(0, LISTED_AT_MOST).join('; ') + (more > 0 ? `; and ${more} more` : '');
}
