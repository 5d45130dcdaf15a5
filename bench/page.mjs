// The run inside a page: bench/browsers.mjs calls these.

import * as curves from '../src/curves/index.ts';
import { compare, load, OURS } from './compare.mjs';
import { ours } from './contenders/erst-hsm.mjs';
import { libauth } from './contenders/libauth.mjs';
import { libsodium } from './contenders/libsodium.mjs';
import { noble } from './contenders/noble.mjs';
import { webCrypto } from './contenders/webcrypto.mjs';
import { operations } from './operations.mjs';

const { loaded, missing } = await load([ours(OURS, () => curves), libsodium, libauth, webCrypto, noble]);

export const contenders = loaded.map(({ name, package: folder }) => ({ name, package: folder }));
export { missing };
export const userAgent = navigator.userAgent;

/** The row of the operation, with those of the `names` that do it. */
export const compareById = ({ id, names, method }) =>
  compare(
    operations.find((operation) => operation.id === id),
    loaded.filter(({ name }) => names.includes(name)),
    method,
  );
