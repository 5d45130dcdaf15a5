// pkcs11js in a loop: one thread, one session, nothing verified.

import pkcs11js from 'pkcs11js';
import { serve } from './player.mjs';

const CKM = { ed25519: 0x1057, secp256k1: pkcs11js.CKM_ECDSA, p256: pkcs11js.CKM_ECDSA };
const AT_ONCE = 50;

await serve(async ({ config, algorithm }) => {
  const lib = new pkcs11js.PKCS11();
  lib.load(config.modulePath);
  lib.C_Initialize({ flags: pkcs11js.CKF_OS_LOCKING_OK });
  const slot = lib
    .C_GetSlotList(true)
    .find((each) => lib.C_GetTokenInfo(each).label.trim() === config.tokenLabel);
  const session = lib.C_OpenSession(slot, pkcs11js.CKF_SERIAL_SESSION);
  lib.C_Login(session, pkcs11js.CKU_USER, config.pin);
  const key = findKey(lib, session, algorithm);
  const mechanism = { mechanism: CKM[algorithm] };
  const input = Buffer.alloc(32, 1);
  const output = Buffer.alloc(256);
  return {
    play(ms) {
      const begun = performance.now();
      let signatures = 0;
      while (performance.now() - begun < ms) {
        for (let i = 0; i < AT_ONCE; i++) {
          lib.C_SignInit(session, mechanism, key);
          lib.C_Sign(session, input, output);
        }
        signatures += AT_ONCE;
      }
      return { aSecond: (signatures * 1000) / (performance.now() - begun) };
    },
    close() {
      lib.C_Finalize();
      lib.close();
    },
  };
});

function findKey(lib, session, label) {
  lib.C_FindObjectsInit(session, [
    { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PRIVATE_KEY },
    { type: pkcs11js.CKA_LABEL, value: label },
  ]);
  const [key] = lib.C_FindObjects(session, 1);
  lib.C_FindObjectsFinal(session);
  return key;
}
