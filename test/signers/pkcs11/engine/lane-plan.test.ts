import { describe, expect, it } from 'vitest';
import type { TokenSummary } from '../../../../src/signers/pkcs11/engine/hosted-module.js';
import { lanePlan } from '../../../../src/signers/pkcs11/engine/lane-plan.js';

const token = (what: Partial<TokenSummary>) =>
  ({
    manufacturer: '',
    model: '',
    libraryDescription: '',
    removable: false,
    maxSessions: undefined,
    ...what,
  }) as TokenSummary;

const softHsm = token({ manufacturer: 'SoftHSM project', model: 'SoftHSM v2' });
const yubiKey = token({
  manufacturer: 'Yubico (www.yubico.com)',
  model: 'YubiKey YK5',
  libraryDescription: 'PKCS#11 PIV Library (SP-800-73)',
  maxSessions: 16,
});
const network = token({ manufacturer: 'Cavium', model: 'NITROX-III CNN35' });

describe('lanePlan', () => {
  it('asks a smart card for one thing at a time, in calls that may block their process', () => {
    expect(lanePlan(yubiKey, {})).toEqual({ sessions: 1, blocking: true });
    expect(lanePlan(token({ removable: true }), {})).toEqual({ sessions: 1, blocking: true });
    expect(lanePlan(token({ libraryDescription: 'OpenSC smartcard framework' }), {}).sessions).toBe(1);
  });

  it('never blocks this process', () => {
    expect(lanePlan(yubiKey, { inProcess: true })).toEqual({ sessions: 1, blocking: false });
    expect(lanePlan(softHsm, { inProcess: true, maxSessions: 1 }).blocking).toBe(false);
  });

  it('lets software compute in its own process, and has many sessions for a network', () => {
    expect(lanePlan(softHsm, {})).toEqual({ sessions: 1, blocking: true });
    expect(lanePlan(network, {})).toEqual({ sessions: 32, blocking: false });
    const netHsm = token({
      manufacturer: 'Nitrokey GmbH',
      libraryDescription: 'Nitrokey NetHsm PKCS#11 library',
    });
    expect(lanePlan(netHsm, {})).toEqual({ sessions: 32, blocking: false });
  });

  it('stays within the token’s own limit, and leaves some of it', () => {
    expect(lanePlan({ ...network, maxSessions: 16 }, {}).sessions).toBe(14);
    expect(lanePlan({ ...network, maxSessions: 1 }, {}).sessions).toBe(1);
    expect(lanePlan(network, { maxSessions: 100 }).sessions).toBe(100);
    expect(lanePlan({ ...network, maxSessions: 16 }, { maxSessions: 100 }).sessions).toBe(14);
  });
});
