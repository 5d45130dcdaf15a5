// A client in a process of its own, for bridge.test.ts: pairs with the link from standard input, signs, and prints what
// it got as one line of JSON.

import { text } from 'node:stream/consumers';
import { toBase64Url, utf8 } from '../../../src/bytes.js';
import { RemoteSigner } from '../../../src/signers/remote/remote.node.js';

async function main(): Promise<void> {
  const credentials = await RemoteSigner.pair(await text(process.stdin), { name: 'child' });
  const signer = await RemoteSigner.connect({ ...credentials, key: 'treasury' });
  const signature = await signer.sign(utf8('signed in another process'));
  await signer.close();
  const { url } = signer.signerInfo().metadata;
  process.stdout.write(`${JSON.stringify({ url, signature: toBase64Url(signature.bytes) })}\n`);
}

main().catch((error) => {
  process.stdout.write(`${JSON.stringify({ code: error.code, message: error.message })}\n`);
  process.exitCode = 1;
});
