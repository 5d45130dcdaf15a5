// The ERST_ variables: unknown, empty, wrong, contradicting each other or missing. All problems are found, not only the
// first: each is left out in turn until the rest can be read. What is left says where the module is; but with any problem
// no token is chosen, so that no PIN goes to a token that was not meant.

import { ConfigError } from '../../errors.js';
import { configFromEnv, type Environment } from '../../signers/config/config.js';
import { nearestName } from '../../signers/config/nearest-name.js';
import { settings, variableNames } from '../../signers/config/settings.js';
import { type Selection, selectionsOf } from '../../signers/pkcs11/selection/selection.js';
import { type CheckResult, resultOf } from './check.js';
import { type Finding, failed, ok, warning } from './finding.js';
import { exportLine } from './fix.js';
import { installedModule } from './module-file-check.js';

export interface SettingsFound {
  results: CheckResult[];
  /** One for each replica of the key; empty where not even the module is known. */
  selections: readonly Selection[];
  /** Nothing was wrong. */
  areSound: boolean;
}

/** Checks the variables in `env` as those of a PKCS#11 signer. */
export async function checkSettings(env: Environment): Promise<SettingsFound> {
  const { problems, selections } = readLeavingOut(env);
  const findings: [string, Finding][] = [];
  for (const problem of problems)
    findings.push([`settings.${problem.setting}`, await describe(problem, env)]);
  if (problems.length === 0)
    findings.push(['settings', ok(`${countOf(env)} set (ERST_…), all known, none against another`)]);
  const forgotten = typeFinding(env);
  if (forgotten) findings.push(['settings.type', forgotten]);
  const results = findings.map(([id, finding]) => resultOf(id, finding));
  return { results, selections, areSound: problems.length === 0 };
}

function readLeavingOut(env: Environment): { problems: ConfigError[]; selections: readonly Selection[] } {
  const problems: ConfigError[] = [];
  const rest: Record<string, string | undefined> = { ...env };
  if (isOtherType(env.ERST_SIGNER_TYPE)) rest.ERST_SIGNER_TYPE = 'pkcs11';
  for (;;) {
    try {
      return { problems, selections: selectionsFrom(rest) };
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(error);
      if (rest[error.setting] === undefined) return { problems, selections: [] };
      delete rest[error.setting];
      if (error.setting === 'ERST_SIGNER_TYPE') rest.ERST_SIGNER_TYPE = 'pkcs11';
    }
  }
}

function selectionsFrom(env: Environment): Selection[] {
  const { pkcs11 = {}, algorithm } = configFromEnv(env);
  return selectionsOf({ ...pkcs11, ...(algorithm && { algorithm }) });
}

const isOtherType = (type: string | undefined) =>
  type === undefined || /^\s*(software|remote)\s*$/.test(type);

function typeFinding({ ERST_SIGNER_TYPE: type }: Environment): Finding | undefined {
  if (!isOtherType(type)) return undefined;
  const finding =
    type === undefined
      ? 'ERST_SIGNER_TYPE is not set: a signer made from these variables would look for a key in a file'
      : `ERST_SIGNER_TYPE is ${type.trim()}: the variables ERST_PKCS11_… are not used for signing`;
  return warning(finding, exportLine('ERST_SIGNER_TYPE', 'pkcs11'));
}

async function describe({ setting, message }: ConfigError, env: Environment): Promise<Finding> {
  return failed(message, await fixOf(setting, env));
}

async function fixOf(name: string, env: Environment): Promise<string> {
  if (!/^\w+$/.test(name)) return '# a shell cannot name this variable: remove it where it is set';
  const field = settings.find(({ variable }) => variable === name)?.field;
  const isSet = env[name] !== undefined;
  if (field === undefined) return isSet ? renameLine(name, env) : `# correct ${name}`;
  if (isSet && (env[name]!.trim() === '' || isRightAlone(name, env))) return `unset ${name}`;
  const installed = name === 'ERST_PKCS11_MODULE' && (await installedModule());
  return installed ? exportLine(name, installed) : variableNames.example(field);
}

function renameLine(name: string, env: Environment): string {
  const near = nearestName(
    name,
    settings.flatMap(({ variable }) => variable ?? []),
  );
  return near === undefined || env[near] !== undefined
    ? `unset ${name}`
    : `export ${near}="$${name}" && unset ${name}`;
}

/** Then it was another variable that it contradicts. */
function isRightAlone(name: string, env: Environment): boolean {
  const alone = { ERST_SIGNER_TYPE: 'pkcs11', ERST_PKCS11_MODULE: '/module.so', [name]: env[name] };
  try {
    return selectionsFrom(alone).length > 0;
  } catch {
    return false;
  }
}

const countOf = (env: Environment) => Object.keys(env).filter((name) => name.startsWith('ERST_')).length;
