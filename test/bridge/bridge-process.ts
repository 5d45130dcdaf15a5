// A bridge in a process of its own, for tests that kill it: run with the state directory and a secret key in hex.

import { createBridge } from '../../src/bridge/index.js';
import { fromHex } from '../../src/bytes.js';
import { TestSigner } from './test-signer.js';

async function main([stateDir, secretKey]: string[]): Promise<void> {
  const treasury = new TestSigner('ed25519', fromHex(secretKey!));
  const bridge = await createBridge({
    listen: '127.0.0.1:0',
    stateDir: stateDir!,
    keys: { treasury },
    consoleDir: false,
  });
  process.stdout.write(`${JSON.stringify({ url: bridge.url, publicKey: bridge.publicKey })}\n`);
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
