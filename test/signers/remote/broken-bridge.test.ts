import { describe, expect, it } from 'vitest';
import { encodeCbor } from '../../../src/protocol/cbor.js';
import { encodeError, encodeResult, encodeWelcome, type Request } from '../../../src/protocol/messages.js';
import { coded, connect, hold, message, start } from './connected.js';
import type { ScriptedBridge } from './scripted-bridge.js';

describe('a bridge that breaks the protocol', () => {
  const id = new Uint8Array(16);
  it.each<[string, (send: (message: Uint8Array) => void, request: Request) => void]>([
    ['sends no CBOR', (send) => send(Uint8Array.of(0xff))],
    ['sends an unknown type', (send) => send(encodeCbor({ type: 'hello' }))],
    [
      'welcomes twice',
      (send) => send(encodeWelcome({ client: 'c', version: '', maxRequestBytes: 9, keys: [] })),
    ],
    ['answers what was not asked', (send) => send(encodeError(id, 'timeout', ''))],
    ['answers another op', (send, request) => send(encodeResult('public-key', request.id, { spki: id }))],
    [
      'answers with a short batch',
      (send, request) => send(encodeResult('sign-batch', request.id, { signatures: [] })),
    ],
    ['sends more than a message may be', (send) => send(new Uint8Array(1_048_577))],
  ])('%s: the call fails and says so, the next one connects again', async (_name, misbehave) => {
    const bridge = await start({
      onRequest: (request, { send }) => {
        misbehave(send, request);
        return true;
      },
    });
    const signer = await connect(bridge);
    const call = signer.signBatch([message]);
    await expect(call).rejects.toThrow(coded('protocol-error'));
    await expect(call).rejects.toThrow(/127\.0\.0\.1:\d+ .+ Update/);
    bridge.options.onRequest = () => false;
    expect(await signer.signBatch([message])).toHaveLength(1);
  });

  it.each<[string, (bridge: ScriptedBridge) => void]>([
    ['text', ({ connections: [connection] }) => connection!.socket.send('text')],
    [
      'a frame that is not encrypted',
      ({ connections: [connection] }) => connection!.socket.send(new Uint8Array(40)),
    ],
    [
      'a frame twice',
      ({ connections: [connection] }) => {
        const frame = connection!.transport.encrypt(Uint8Array.of(1, 0xa0));
        connection!.socket.send(frame);
        connection!.socket.send(frame);
      },
    ],
  ])('sends %s: the call fails', async (_name, misbehave) => {
    const { onRequest, arrived } = hold();
    const bridge = await start({ onRequest });
    const signer = await connect(bridge);
    const call = signer.sign(message);
    call.catch(() => {});
    await arrived(1);
    misbehave(bridge);
    await expect(call).rejects.toThrow(coded('protocol-error'));
  });

  it('sends a frame over 65,535 bytes: the call fails', async () => {
    const { onRequest, arrived } = hold();
    const bridge = await start({ onRequest });
    const signer = await connect(bridge);
    const call = signer.sign(message);
    call.catch(() => {});
    await arrived(1);
    bridge.connections[0]!.socket.send(new Uint8Array(65_536));
    await expect(call).rejects.toThrow(coded('connection-lost'));
  });

  it('speaks out of turn: connecting fails', async () => {
    const bridge = await start({
      onSocket: (socket) =>
        void socket.once('message', () => {
          socket.send(new Uint8Array(48));
          socket.send(new Uint8Array(48));
        }),
    });
    await expect(connect(bridge)).rejects.toThrow(coded('protocol-error'));
  });

  it('answers before it welcomes: connecting fails', async () => {
    const bridge = await start({ onAccepted: ({ send }) => send(encodeError(id, 'timeout', '')) });
    await expect(connect(bridge)).rejects.toThrow(coded('protocol-error'));
  });
});
