// A connection that ends under a RemoteSigner, and one that it closes.

import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { x25519KeyPair } from '../../../src/protocol/dh.js';
import { SoftwareSigner } from '../../../src/signers/software.js';
import { coded, connect, hold, keys, message, start } from './connected.js';
import { ScriptedBridge } from './scripted-bridge.js';

describe('a connection that ends', () => {
  it('fails open requests, and the next call makes another', async () => {
    const { onRequest, arrived } = hold();
    const bridge = await start({ onRequest });
    const signer = await connect(bridge);
    const open = [signer.sign(message), signer.signBatch([message, message])];
    for (const call of open) call.catch(() => {});
    await arrived(2);
    bridge.drop();
    for (const call of open) await expect(call).rejects.toThrow(coded('connection-lost'));
    bridge.options.onRequest = () => false;
    await signer.sign(message);
    expect(bridge.connections).toHaveLength(2);
  });

  it('is made anew once for calls that come together', async () => {
    const bridge = await start();
    const signer = await connect(bridge);
    bridge.connections[0]!.socket.close(1001);
    await once(bridge.connections[0]!.socket, 'close');
    const signatures = await Promise.all(Array.from({ length: 10 }, () => signer.sign(message)));
    expect(signatures).toHaveLength(10);
    expect(bridge.connections).toHaveLength(2);
  });

  it('is not made anew with a bridge that has another key now', async () => {
    const bridge = await start();
    const signer = await connect(bridge);
    bridge.options.keys = { ed: (await SoftwareSigner.generate('ed25519')).signer };
    bridge.connections[0]!.socket.close(1001);
    await once(bridge.connections[0]!.socket, 'close');
    await expect(signer.sign(message)).rejects.toThrow(coded('key-mismatch'));
    bridge.options.keys = keys;
    await signer.sign(message);
  });

  it('is not made anew with another bridge', async () => {
    const bridge = await start();
    const signer = await connect(bridge);
    bridge.identity = x25519KeyPair();
    bridge.connections[0]!.socket.close(1001);
    await once(bridge.connections[0]!.socket, 'close');
    await expect(signer.sign(message)).rejects.toThrow(coded('bridge-not-recognized'));
  });

  it('says when the bridge is gone', async () => {
    const bridge = await ScriptedBridge.start({ keys });
    const signer = await connect(bridge);
    const [{ socket }] = bridge.connections as [(typeof bridge.connections)[0]];
    socket.close(1001);
    await once(socket, 'close');
    await bridge.close();
    await expect(signer.sign(message)).rejects.toThrow(coded('bridge-unreachable'));
  });

  it('is given up waiting for by one caller, and not by the other', async () => {
    const bridge = await start();
    const signer = await connect(bridge);
    bridge.connections[0]!.socket.close(1001);
    await once(bridge.connections[0]!.socket, 'close');
    const controller = new AbortController();
    const one = signer.sign(message, { signal: controller.signal });
    const other = signer.sign(message);
    controller.abort();
    await expect(one).rejects.toBe(controller.signal.reason);
    await other;
    expect(bridge.connections).toHaveLength(2);
  });

  it('is kept for the next call where the one that wanted it has given up', async () => {
    const bridge = await start();
    const signer = await connect(bridge);
    bridge.connections[0]!.socket.close(1001);
    await once(bridge.connections[0]!.socket, 'close');
    const controller = new AbortController();
    const call = signer.sign(message, { signal: controller.signal });
    controller.abort();
    await expect(call).rejects.toBe(controller.signal.reason);
    while (bridge.connections.length < 2) await new Promise((resolve) => setImmediate(resolve));
    await signer.sign(message);
    expect(bridge.connections).toHaveLength(2);
  });

  it('says when this client was cut off', async () => {
    const { onRequest, arrived } = hold();
    const bridge = await start({ onRequest });
    const signer = await connect(bridge);
    const call = signer.sign(message);
    call.catch(() => {});
    await arrived(1);
    bridge.connections[0]!.socket.close(1008);
    await expect(call).rejects.toThrow('cut this client off');
    await expect(call).rejects.toThrow(coded('connection-lost'));
  });
});

describe('closing', () => {
  it('ends the connection with code 1000', async () => {
    const bridge = await start();
    const signer = await connect(bridge);
    const closed = once(bridge.connections[0]!.socket, 'close');
    await signer.close();
    expect((await closed)[0]).toBe(1000);
    await expect(signer.sign(message)).rejects.toThrow(coded('signer-closed'));
  });
});
