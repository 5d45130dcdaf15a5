// The worked example in docs/PROTOCOL.md is what this implementation does, byte for byte. After a change that is meant:
// npx vitest run --project unit test/protocol/example.test.ts -u

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ed25519 } from '@noble/curves/ed25519.js';
import { expect, it } from 'vitest';
import { bytesToHex, utf8 } from '../../src/bytes.js';
import { x25519KeyPair } from '../../src/protocol/dh.js';
import { framesOf } from '../../src/protocol/frames.js';
import {
  encodePairingPayload,
  encodeRequest,
  encodeResult,
  encodeWelcome,
} from '../../src/protocol/messages.js';
import { Handshake, type Transport } from '../../src/protocol/noise.js';
import { formatPairingLink, pairingId, pairingPsk } from '../../src/protocol/pairing.js';
import {
  handshakeOf,
  PAIRING_SUBPROTOCOL,
  SUBPROTOCOL,
  type Subprotocol,
} from '../../src/protocol/subprotocols.js';
import { PublicKey } from '../../src/signers/public-key.js';

const path = fileURLToPath(new URL('../../docs/PROTOCOL.md', import.meta.url));
const [BEGIN, END] = ['<!-- example -->', '<!-- /example -->'];

const filled = (byte: number, length = 32) => new Uint8Array(length).fill(byte);
const keyPairs = {
  bridge: x25519KeyPair(filled(0x11)),
  bridgeEphemeral: () => x25519KeyPair(filled(0x22)),
  client: x25519KeyPair(filled(0x33)),
  clientEphemeral: () => x25519KeyPair(filled(0x44)),
};
const signingKey = filled(0x55);
const secret = filled(0x66, 16);
const id = filled(0x77, 16);

it('docs/PROTOCOL.md has the bytes that this implementation sends', async () => {
  const document = readFileSync(path, 'utf8');
  const [before, rest] = document.split(BEGIN);
  const after = rest!.split(END)[1];
  const example = `\n\n\`\`\`text\n${(await exampleLines()).join('\n')}\n\`\`\`\n\n`;
  await expect(before + BEGIN + example + END + after).toMatchFileSnapshot(path);
});

async function exampleLines(): Promise<string[]> {
  const { bridge, client, bridgeEphemeral, clientEphemeral } = keyPairs;
  const spki = PublicKey.fromRaw('ed25519', ed25519.getPublicKey(signingKey)).spki;
  const request = encodeRequest({ id, op: 'sign', key: 'treasury', data: utf8('hello') });
  const signature = ed25519.sign(utf8('hello'), signingKey);
  const keys = [{ name: 'treasury', algorithm: 'ed25519' as const, spki, info: {} }];
  const welcome = encodeWelcome({ client: 'laptop', version: '0.1.0', maxRequestBytes: 1_048_576, keys });
  const known = await shakeHands(SUBPROTOCOL);
  const result = encodeResult('sign', id, { signature });
  const link = formatPairingLink({ origin: 'http://localhost:27183', bridgeKey: bridge.publicKey, secret });
  const pairing = await shakeHands(PAIRING_SUBPROTOCOL);
  return [
    'Keys',
    ...hex('bridge static secret', filled(0x11)),
    ...hex('bridge static public', bridge.publicKey),
    ...hex('bridge ephemeral secret', filled(0x22)),
    ...hex('bridge ephemeral public', bridgeEphemeral().publicKey),
    ...hex('client static secret', filled(0x33)),
    ...hex('client static public', client.publicKey),
    ...hex('client ephemeral secret', filled(0x44)),
    ...hex('client ephemeral public', clientEphemeral().publicKey),
    ...hex('Ed25519 secret (RFC 8032)', signingKey),
    '',
    'erst-hsm.1',
    ...hex('prologue', handshakeOf(SUBPROTOCOL).prologue),
    ...known.lines,
    ...hex('welcome, CBOR', welcome),
    ...sent('bridge → client', known.bridge, welcome),
    ...hex('request "sign" of "hello", CBOR', request),
    ...sent('client → bridge', known.client, request),
    ...hex('result, CBOR', result),
    ...sent('bridge → client', known.bridge, result, 1),
    '',
    'erst-hsm.pair.1',
    '  link',
    `    ${link}`,
    ...hex('secret', secret),
    ...hex('pairing id', pairingId(secret)),
    ...hex('psk', pairingPsk(secret)),
    ...hex('prologue', handshakeOf(PAIRING_SUBPROTOCOL).prologue),
    ...hex('payload of message 3, CBOR', encodePairingPayload('laptop')),
    ...pairing.lines,
    ...hex('welcome, the same', welcome),
    ...sent('bridge → client', pairing.bridge, welcome),
  ];
}

async function shakeHands(subprotocol: Subprotocol) {
  const isPairing = subprotocol === PAIRING_SUBPROTOCOL;
  const common = { ...handshakeOf(subprotocol), ...(isPairing && { psk: pairingPsk(secret) }) };
  const client = new Handshake({
    ...common,
    role: 'initiator',
    staticKeys: keyPairs.client,
    remoteStatic: keyPairs.bridge.publicKey,
    ephemeralKeys: keyPairs.clientEphemeral(),
  });
  const bridge = new Handshake({
    ...common,
    role: 'responder',
    staticKeys: keyPairs.bridge,
    ephemeralKeys: keyPairs.bridgeEphemeral(),
  });
  const first = await client.writeMessage(isPairing ? pairingId(secret) : undefined);
  await bridge.readMessage(first);
  const second = await bridge.writeMessage();
  await client.readMessage(second);
  const third = await client.writeMessage(isPairing ? encodePairingPayload('laptop') : undefined);
  await bridge.readMessage(third);
  const transports = { client: client.split(), bridge: bridge.split() };
  const lines = [
    ...hex('message 1, client → bridge', first),
    ...hex('message 2, bridge → client', second),
    ...hex('message 3, client → bridge', third),
    ...hex('handshake hash', transports.client.handshakeHash),
  ];
  return { ...transports, lines };
}

function sent(direction: string, transport: Transport, message: Uint8Array, nonce = 0): string[] {
  return [...framesOf(message)].flatMap((frame) =>
    hex(`${direction}, nonce ${nonce}: frame 01 ‖ CBOR, encrypted`, transport.encrypt(frame)),
  );
}

const hex = (name: string, bytes: Uint8Array) => [`  ${name}`, ...wrapped(bytesToHex(bytes))];
const wrapped = (text: string) => text.match(/.{1,96}/g)!.map((line) => `    ${line}`);
