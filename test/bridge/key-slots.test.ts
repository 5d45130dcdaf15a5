import { describe, expect, it } from 'vitest';
import { KeySlots } from '../../src/bridge/key-slots.js';

/** Requests at a key with `count` slots, and in which order they got them. */
function keyWith(count: number) {
  const slots = new KeySlots(count);
  const order: string[] = [];
  const givesBack = new Map<string, () => void>();
  return {
    order,
    async ask(client: string, name: string, messages = 1, signal = new AbortController().signal) {
      givesBack.set(name, await slots.take(client, messages, signal));
      order.push(name);
    },
    giveBack: (name: string) => givesBack.get(name)!(),
  };
}

const settled = () => new Promise(setImmediate);

describe('the turns at a key', () => {
  it('go round the clients, however much one of them asks for', async () => {
    const key = keyWith(1);
    for (const name of ['a1', 'a2', 'a3', 'a4']) void key.ask('a', name);
    for (const name of ['b1', 'b2']) void key.ask('b', name);
    void key.ask('c', 'c1');
    for (let n = 0; n < 7; n++) {
      await settled();
      key.giveBack(key.order.at(-1)!);
    }
    expect(key.order).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
  });

  it('are counted in messages, and a batch of more than there are slots goes alone', async () => {
    const key = keyWith(4);
    void key.ask('a', 'three', 3);
    void key.ask('a', 'one');
    void key.ask('b', 'huge', 1000);
    void key.ask('c', 'late');
    await settled();
    expect(key.order).toEqual(['three', 'one']);
    key.giveBack('three');
    await settled();
    expect(key.order, 'nobody overtakes the one whose turn it is').toEqual(['three', 'one']);
    key.giveBack('one');
    await settled();
    expect(key.order).toEqual(['three', 'one', 'huge']);
    key.giveBack('huge');
    await settled();
    expect(key.order.at(-1)).toBe('late');
  });

  it('pass over who has given up, and need not wait for him', async () => {
    const key = keyWith(2);
    const gone = new AbortController();
    void key.ask('a', 'a1');
    const batch = key.ask('b', 'b2', 2, gone.signal);
    void key.ask('c', 'c1');
    await settled();
    expect(key.order).toEqual(['a1']);
    gone.abort(new Error('gone'));
    await expect(batch).rejects.toThrow('gone');
    await settled();
    expect(key.order).toEqual(['a1', 'c1']);
    await expect(key.ask('b', 'late', 1, gone.signal)).rejects.toThrow('gone');
  });
});
