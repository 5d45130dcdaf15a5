import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytesToHex, fromHex, utf8 } from '../../src/bytes.js';
import { x25519KeyPair } from '../../src/protocol/dh.js';
import {
  CipherState,
  Handshake,
  type HandshakeOptions,
  MAX_NOISE_MESSAGE_BYTES,
  MAX_PLAINTEXT_BYTES,
  type NoisePattern,
  Transport,
} from '../../src/protocol/noise.js';
import { ProtocolError } from '../../src/protocol/protocol-error.js';

const vectorsPath = join(
  process.env.ERST_VECTORS ?? '../shared/vectors',
  'noise_25519_ChaChaPoly_SHA256.json',
);

interface Vector {
  protocol_name: string;
  init_prologue: string;
  init_psks?: string[];
  init_static: string;
  init_ephemeral: string;
  init_remote_static: string;
  resp_prologue: string;
  resp_psks?: string[];
  resp_static: string;
  resp_ephemeral: string;
  handshake_hash: string;
  messages: { payload: string; ciphertext: string }[];
}

const PATTERNS: NoisePattern[] = ['XK', 'XKpsk3'];
const PSK = new Uint8Array(32).fill(7);
const keys = (fill: number) => x25519KeyPair(new Uint8Array(32).fill(fill));
const bridge = keys(1);
const client = keys(2);

function pair(
  pattern: NoisePattern,
  initiator: Partial<HandshakeOptions> = {},
  responder: Partial<HandshakeOptions> = {},
) {
  const common = { pattern, prologue: utf8('test'), ...(pattern === 'XKpsk3' && { psk: PSK }) };
  return {
    initiator: new Handshake({
      ...common,
      role: 'initiator',
      staticKeys: client,
      remoteStatic: bridge.publicKey,
      ephemeralKeys: keys(3),
      ...initiator,
    }),
    responder: new Handshake({
      ...common,
      role: 'responder',
      staticKeys: bridge,
      ephemeralKeys: keys(4),
      ...responder,
    }),
  };
}

/** Runs the handshake; `tamper` may change the message of that number on its way. */
async function run(
  { initiator, responder }: ReturnType<typeof pair>,
  tamper: (message: Uint8Array, number: number) => Uint8Array = (message) => message,
) {
  const payloads: string[] = [];
  for (let number = 0; number < 3; number++) {
    const [from, to] = number % 2 === 0 ? [initiator, responder] : [responder, initiator];
    const message = tamper(await from.writeMessage(utf8(`payload ${number}`)), number);
    payloads.push(new TextDecoder().decode(await to.readMessage(message)));
  }
  return { payloads, client: initiator.split(), bridge: responder.split() };
}

describe('published vectors', () => {
  const present = existsSync(vectorsPath);
  if (!present && process.env.CI) {
    it('are there in CI', () => {
      expect.fail(`${vectorsPath} is missing; set ERST_VECTORS to the folder that has it`);
    });
  }

  const vectors: Vector[] = present ? JSON.parse(readFileSync(vectorsPath, 'utf8')).vectors : [];
  for (const pattern of PATTERNS) {
    const name = `Noise_${pattern}_25519_ChaChaPoly_SHA256`;
    it.skipIf(!present)(`${name}${present ? '' : `: ${vectorsPath} is missing`}`, async () => {
      const vector = vectors.find((candidate) => candidate.protocol_name === name)!;
      const handshakes = {
        initiator: new Handshake({
          pattern,
          role: 'initiator',
          prologue: fromHex(vector.init_prologue),
          staticKeys: x25519KeyPair(fromHex(vector.init_static)),
          remoteStatic: fromHex(vector.init_remote_static),
          ephemeralKeys: x25519KeyPair(fromHex(vector.init_ephemeral)),
          ...(vector.init_psks && { psk: fromHex(vector.init_psks[0]!) }),
        }),
        responder: new Handshake({
          pattern,
          role: 'responder',
          prologue: fromHex(vector.resp_prologue),
          staticKeys: x25519KeyPair(fromHex(vector.resp_static)),
          ephemeralKeys: x25519KeyPair(fromHex(vector.resp_ephemeral)),
        }),
      };
      let transports: Record<'initiator' | 'responder', Transport> | undefined;
      expect(vector.messages.length).toBeGreaterThan(4);
      for (const [i, { payload, ciphertext }] of vector.messages.entries()) {
        const [from, to] =
          i % 2 === 0 ? (['initiator', 'responder'] as const) : (['responder', 'initiator'] as const);
        if (i === 2 && vector.resp_psks) handshakes.responder.setPsk(fromHex(vector.resp_psks[0]!));
        const sent = transports
          ? transports[from].encrypt(fromHex(payload))
          : await handshakes[from].writeMessage(fromHex(payload));
        expect(bytesToHex(sent)).toBe(ciphertext);
        const read = transports
          ? transports[to].decrypt(fromHex(ciphertext))
          : await handshakes[to].readMessage(fromHex(ciphertext));
        expect(bytesToHex(read)).toBe(payload);
        if (i === 2) {
          expect(handshakes.responder.remoteStatic).toEqual(
            x25519KeyPair(fromHex(vector.init_static)).publicKey,
          );
          transports = { initiator: handshakes.initiator.split(), responder: handshakes.responder.split() };
          expect(bytesToHex(transports.initiator.handshakeHash)).toBe(vector.handshake_hash);
          expect(bytesToHex(transports.responder.handshakeHash)).toBe(vector.handshake_hash);
        }
      }
    });
  }
});

describe.each(PATTERNS)('handshake %s', (pattern) => {
  it('carries payloads and gives both sides the same channel', async () => {
    const result = await run(pair(pattern));
    expect(result.payloads).toEqual(['payload 0', 'payload 1', 'payload 2']);
    expect(result.client.handshakeHash).toEqual(result.bridge.handshakeHash);
    expect(result.bridge.decrypt(result.client.encrypt(utf8('up')))).toEqual(utf8('up'));
    expect(result.client.decrypt(result.bridge.encrypt(utf8('down')))).toEqual(utf8('down'));
  });

  it('uses fresh ephemeral keys where none are given', async () => {
    const first = () =>
      new Handshake({
        pattern,
        role: 'initiator',
        prologue: utf8('test'),
        staticKeys: client,
        remoteStatic: bridge.publicKey,
      }).writeMessage();
    expect(await first()).not.toEqual(await first());
  });

  it.each([0, 1, 2])(
    'notices a change of any byte of message %i',
    async (number) => {
      let length = 1;
      for (let position = 0; position < length; position++) {
        const handshakes = pair(pattern);
        const attempt = run(handshakes, (message, current) => {
          if (current !== number) return message;
          length = message.length;
          const changed = Uint8Array.from(message);
          changed[position]! ^= 1 << (position % 8);
          return changed;
        });
        await expect(attempt).rejects.toThrow(ProtocolError);
      }
      expect(length).toBeGreaterThanOrEqual(48);
    },
    300_000,
  );

  it.each([0, 1, 2])(
    'notices every truncation and an extension of message %i',
    async (number) => {
      const lengths: number[] = [];
      await run(pair(pattern), (message, current) => {
        if (current === number) lengths.push(...Array.from(message.keys()), message.length + 1);
        return message;
      });
      for (const length of lengths.filter((_, i) => i % 5 === 0 || i > lengths.length - 3)) {
        const attempt = run(pair(pattern), (message, current) => {
          if (current !== number) return message;
          const cut = new Uint8Array(length);
          cut.set(message.subarray(0, length));
          return cut;
        });
        await expect(attempt).rejects.toThrow(ProtocolError);
      }
    },
    300_000,
  );

  it("refuses another bridge's key at the first message", async () => {
    const { initiator, responder } = pair(pattern, { remoteStatic: keys(9).publicKey });
    await expect(responder.readMessage(await initiator.writeMessage())).rejects.toThrow(ProtocolError);
  });

  it('refuses another prologue at the first message', async () => {
    const { initiator, responder } = pair(pattern, { prologue: utf8('tesT') });
    await expect(responder.readMessage(await initiator.writeMessage())).rejects.toThrow(ProtocolError);
  });

  it('refuses the all-zero point and other points of low order', async () => {
    const lowOrder = [
      '0000000000000000000000000000000000000000000000000000000000000000',
      '0100000000000000000000000000000000000000000000000000000000000000',
      'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
      '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
      '0000000000000000000000000000000000000000000000000000000000000080',
    ];
    for (const point of lowOrder.map(fromHex)) {
      const message = new Uint8Array(48);
      message.set(point);
      await expect(pair(pattern).responder.readMessage(message)).rejects.toThrow(ProtocolError);
    }
  });

  it('aborts where a key pair yields all zeros, whoever made it', async () => {
    const staticKeys = { publicKey: bridge.publicKey, dh: async () => new Uint8Array(32) };
    const { initiator, responder } = pair(pattern, {}, { staticKeys });
    await expect(responder.readMessage(await initiator.writeMessage())).rejects.toThrow('gave no secret');
  });

  it('cannot be used again after a failure', async () => {
    const { initiator, responder } = pair(pattern);
    const message = await initiator.writeMessage();
    const changed = Uint8Array.from(message);
    changed[40]! ^= 1;
    await expect(responder.readMessage(changed)).rejects.toThrow(ProtocolError);
    await expect(responder.readMessage(message)).rejects.toThrow(TypeError);
    await expect(responder.writeMessage()).rejects.toThrow(TypeError);
    expect(() => responder.split()).toThrow(TypeError);
  });

  it('refuses calls in the wrong order, and ends', async () => {
    const { initiator, responder } = pair(pattern);
    await expect(responder.writeMessage()).rejects.toThrow(TypeError);
    expect(() => initiator.split()).toThrow(TypeError);
    const first = initiator.writeMessage();
    await expect(initiator.writeMessage()).rejects.toThrow(TypeError); // the first has not finished
    await expect(first).rejects.toThrow(TypeError);
  });

  it('refuses messages that are too long, in and out', async () => {
    const { initiator, responder } = pair(pattern);
    await expect(responder.readMessage(new Uint8Array(MAX_NOISE_MESSAGE_BYTES + 1))).rejects.toMatchObject({
      code: 'protocol-error',
      closeCode: 1009,
    });
    await expect(initiator.writeMessage(new Uint8Array(MAX_NOISE_MESSAGE_BYTES - 47))).rejects.toThrow(
      RangeError,
    );
    const longest = new Uint8Array(MAX_NOISE_MESSAGE_BYTES - 48);
    const fresh = pair(pattern);
    expect(await fresh.responder.readMessage(await fresh.initiator.writeMessage(longest))).toEqual(longest);
  });

  it('gives up when destroyed', async () => {
    const { initiator, responder } = pair(pattern);
    const message = await initiator.writeMessage();
    const reading = responder.readMessage(message);
    responder.destroy();
    await expect(reading).rejects.toThrow(TypeError);
    initiator.destroy();
    await expect(initiator.readMessage(message)).rejects.toThrow(TypeError);
  });
});

describe('handshake options', () => {
  it('are checked', () => {
    const good: HandshakeOptions = {
      pattern: 'XK',
      role: 'initiator',
      prologue: new Uint8Array(),
      staticKeys: client,
      remoteStatic: bridge.publicKey,
    };
    const { remoteStatic: _, ...withoutRemote } = good;
    expect(() => new Handshake(withoutRemote)).toThrow(TypeError);
    expect(() => new Handshake({ ...good, role: 'responder' })).toThrow(TypeError);
    expect(() => new Handshake({ ...good, remoteStatic: new Uint8Array(31) })).toThrow(RangeError);
    expect(() => new Handshake({ ...good, psk: PSK })).toThrow(TypeError);
    expect(() => new Handshake({ ...good, pattern: 'XKpsk3', psk: new Uint8Array(31) })).toThrow(RangeError);
    expect(() => new Handshake({ ...good, pattern: 'IK' as NoisePattern })).toThrow(TypeError);
    expect(() => new Handshake({ ...good, pattern: 'constructor' as NoisePattern })).toThrow(TypeError);
  });
});

describe('XKpsk3', () => {
  it('refuses another pre-shared key at the third message', async () => {
    const { initiator, responder } = pair('XKpsk3', { psk: new Uint8Array(32).fill(8) });
    await responder.readMessage(await initiator.writeMessage());
    await initiator.readMessage(await responder.writeMessage());
    await expect(responder.readMessage(await initiator.writeMessage())).rejects.toThrow(ProtocolError);
  });

  it('names the missing pre-shared key', async () => {
    const { initiator, responder } = pair('XKpsk3');
    const bare = new Handshake({
      pattern: 'XKpsk3',
      role: 'responder',
      prologue: utf8('test'),
      staticKeys: bridge,
    });
    await bare.readMessage(await initiator.writeMessage());
    await initiator.readMessage(await bare.writeMessage());
    await expect(bare.readMessage(await initiator.writeMessage())).rejects.toThrow('pre-shared key');
    responder.destroy();
  });
});

describe('transport', () => {
  const channel = async () => (await run(pair('XK'))) as { client: Transport; bridge: Transport };

  it('notices a change of any byte', async () => {
    const base = await channel();
    const length = base.client.encrypt(utf8('a request')).length;
    for (let position = 0; position < length; position++) {
      const { client, bridge } = transportPair();
      const message = client.encrypt(utf8('a request'));
      message[position]! ^= 0x80;
      expect(() => bridge.decrypt(message)).toThrow(ProtocolError);
    }
  });

  it.each<[string, (messages: Uint8Array[]) => Uint8Array[]]>([
    ['replay', ([first]) => [first!, first!]],
    ['reorder', ([first, second]) => [second!, first!]],
    ['omission', ([, second]) => [second!]],
    ['truncation', ([first]) => [first!.subarray(0, -1)]],
    ['extension', ([first]) => [Uint8Array.from([...first!, 0])]],
    ['emptiness', () => [new Uint8Array()]],
  ])('notices %s, and then takes nothing more', (_name, deliver) => {
    const { client, bridge } = transportPair();
    const messages = [utf8('first'), utf8('second'), utf8('third')].map((text) => client.encrypt(text));
    expect(() => deliver(messages).map((message) => bridge.decrypt(message))).toThrow(ProtocolError);
    expect(() => bridge.decrypt(messages[0]!)).toThrow(ProtocolError);
    expect(() => bridge.encrypt(utf8('answer'))).toThrow(ProtocolError);
  });

  it('does not take back what it sent itself', () => {
    const { client } = transportPair();
    expect(() => client.decrypt(client.encrypt(utf8('echo')))).toThrow(ProtocolError);
  });

  it('carries plaintexts of 0 to 65,519 bytes and no more', () => {
    const { client, bridge } = transportPair();
    for (const length of [0, 1, MAX_PLAINTEXT_BYTES]) {
      const message = client.encrypt(new Uint8Array(length));
      expect(message.length).toBe(length + 16);
      expect(bridge.decrypt(message)).toEqual(new Uint8Array(length));
    }
    expect(() => client.encrypt(new Uint8Array(MAX_PLAINTEXT_BYTES + 1))).toThrow(RangeError);
    expect(bridge.decrypt(client.encrypt(utf8('still works')))).toEqual(utf8('still works'));
    expect(() => bridge.decrypt(new Uint8Array(MAX_NOISE_MESSAGE_BYTES + 1))).toThrow(ProtocolError);
  });

  it('fails closed when the nonces are used up', () => {
    const { client, bridge, sending, receiving } = transportPair();
    sending.setNonce(2n ** 64n - 2n);
    receiving.setNonce(2n ** 64n - 2n);
    expect(bridge.decrypt(client.encrypt(utf8('last')))).toEqual(utf8('last'));
    expect(() => client.encrypt(utf8('one too many'))).toThrow('nonces');
    expect(() => bridge.decrypt(new Uint8Array(16))).toThrow('nonces');
    sending.setNonce(0n);
    expect(() => client.encrypt(utf8('again'))).toThrow(ProtocolError);
  });

  it('works no more once destroyed', () => {
    const { client } = transportPair();
    client.destroy();
    client.destroy();
    expect(() => client.encrypt(utf8('x'))).toThrow(ProtocolError);
  });

  function transportPair() {
    const cipher = (fill: number) => {
      const state = new CipherState();
      state.initializeKey(new Uint8Array(32).fill(fill));
      return state;
    };
    const [sending, receiving] = [cipher(1), cipher(1)];
    const hash = new Uint8Array(32);
    return {
      client: new Transport(sending, cipher(2), hash),
      bridge: new Transport(cipher(2), receiving, hash),
      sending,
      receiving,
    };
  }
});
