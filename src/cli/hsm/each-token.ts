// ERST_PKCS11_URI may name several tokens (replicas of one key). A verb that only looks walks through them, with a heading
// for each; one that changes something is told which of them is meant.
// Invariant: a PIN that one of them has refused is not presented to the others, where it is the same for all.

import { ConfigError, Pkcs11Error } from '../../errors.js';
import { type Environment, urisOf } from '../../signers/config/config.js';
import { parsePkcs11Uri } from '../../signers/pkcs11/selection/uri.js';
import { CliError, EXIT, reportFailure, UsageError } from '../failure.js';
import { note, oneLine } from '../output.js';

export interface TokenChoice {
  tokenLabel?: string;
  slot?: string;
  json?: true;
}

/** The place of a token in ERST_PKCS11_URI. */
export interface TokenTurn {
  /** The environment, as if it named this token alone. */
  env: Environment;
  /** From 1. */
  number: number;
  /** How many are walked through. */
  count: number;
}

/** An environment for each token that `env` names, or for those that are chosen. */
export function environmentsOf({ tokenLabel, slot }: TokenChoice, env: Environment): Environment[] {
  const uris = env.ERST_PKCS11_URI === undefined ? [] : urisOf(env.ERST_PKCS11_URI);
  if (uris.length > 0 && slot !== undefined) {
    throw new UsageError(
      'ERST_PKCS11_URI says which token is meant, and so does --slot: use --token-label, or unset ERST_PKCS11_URI',
    );
  }
  if (uris.length < 2) return [env];
  const chosen = uris.filter(
    (uri) => tokenLabel === undefined || parsePkcs11Uri(uri).token.token === tokenLabel,
  );
  if (chosen.length > 0) return chosen.map((uri) => ({ ...env, ERST_PKCS11_URI: uri }));
  throw new CliError(
    'token-not-found',
    `no URI in ERST_PKCS11_URI names token "${tokenLabel}". They name: ${uris.map(nameIn).join('; ')}`,
  );
}

/** The only environment of `environmentsOf`, for a verb that works on one token. */
export function onlyEnvironment(choice: TokenChoice, env: Environment): Environment {
  const [only, second] = environmentsOf(choice, env);
  if (second === undefined) return only!;
  throw new ConfigError(
    'ERST_PKCS11_URI',
    `ERST_PKCS11_URI names several tokens (${urisOf(env.ERST_PKCS11_URI!).map(nameIn).join('; ')}), and this changes one: ` +
      'say which with --token-label, or set ERST_PKCS11_URI to one URI',
  );
}

/** What a URI says of its token; never what it says of the PIN. */
function nameIn(uri: string): string {
  const given = Object.entries(parsePkcs11Uri(uri).token).map(([name, value]) => `${name} "${value}"`);
  return given.length === 0 ? '(any token)' : given.join(', ');
}

/**
 * Runs `work` for each token in turn and gives what came of it. The failure of one of several is reported, and makes the
 * exit code 1; the others are walked through all the same.
 */
export async function forEachToken<T>(
  choice: TokenChoice,
  env: Environment,
  work: (turn: TokenTurn) => Promise<T>,
): Promise<T[]> {
  const environments = environmentsOf(choice, env);
  const count = environments.length;
  const results: T[] = [];
  for (const [i, each] of environments.entries()) {
    try {
      results.push(await work({ env: each, number: i + 1, count }));
    } catch (error) {
      if (count === 1 || isOfAll(error)) throw error;
      process.exitCode = EXIT.failure;
      reportFailure(error, choice.json === true, i + 1);
      if (i + 1 < count && isRefusedPin(error) && hasOnePin(env)) {
        note('The other tokens were not asked, because they would be given the same PIN.');
        break;
      }
    }
  }
  return results;
}

/** What is said above the result of one of several tokens. */
export const headingOf = ({ number, count }: TokenTurn, { label, model, serial }: HeadingToken): string =>
  oneLine(`token ${number} of ${count}: "${label}" (${model}, serial ${serial})`);

interface HeadingToken {
  label: string;
  model: string;
  serial: string;
}

const isOfAll = (error: unknown) =>
  error instanceof ConfigError || (error instanceof CliError && error.exitCode !== EXIT.failure);

const isRefusedPin = (error: unknown) =>
  error instanceof Pkcs11Error && (error.code === 'pin-incorrect' || error.code === 'pin-locked');

/** Else each URI has its own, or somebody types it. */
const hasOnePin = (env: Environment) =>
  Object.keys(env).some((name) => /^ERST_PKCS11_PIN(?:_FILE|_COMMAND|_CREDENTIAL)?$/.test(name));
