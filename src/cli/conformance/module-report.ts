// What a report says of the PKCS#11 module and token: enough to compare devices, nothing that tells one token from
// another of its kind.

import { basename } from 'node:path';
import type { Environment } from '../../signers/config/config.js';
import { whilePassing } from '../../signers/pkcs11/engine/passing-state.js';
import { selectToken } from '../../signers/pkcs11/selection/select-token.js';
import { withEngine } from '../hsm/connection.js';
import { selectionFrom } from '../hsm/token-options.js';

export interface ModuleReport {
  file: string;
  manufacturer: string;
  description: string;
  version: string;
  cryptokiVersion: string;
}

export interface TokenReport {
  manufacturer: string;
  model: string;
  firmware: string;
  hardware: string;
}

/** Of the first token that `env` names. */
export function describePlace(env: Environment): Promise<{ module: ModuleReport; token: TokenReport }> {
  const selection = selectionFrom({}, env);
  return withEngine(selection, async (engine) => {
    const token = await whilePassing(engine, async () =>
      selectToken(await engine.listTokens(), selection.token),
    );
    const { manufacturer, description, version, cryptokiVersion } = await engine.describe();
    const file = basename(engine.modulePath);
    return {
      module: { file, manufacturer, description, version, cryptokiVersion },
      token: {
        manufacturer: token.manufacturer,
        model: token.model,
        firmware: token.firmwareVersion,
        hardware: token.hardwareVersion,
      },
    };
  });
}
