// What is measured runs in a process of its own. It is started with its settings, says `ready`, and plays for as many
// milliseconds as it is told; `serve` is the other end.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export async function start(file, env, settings) {
  const player = fork(fileURLToPath(new URL(file, import.meta.url)), [], { env });
  const ended = once(player, 'exit').then(([code]) => {
    throw new Error(`${file} ended with ${code}`);
  });
  ended.catch(() => {}); // of no matter after the last answer
  const answer = async () => {
    const [message] = await Promise.race([once(player, 'message'), ended]);
    return message;
  };
  player.send(settings);
  await answer();
  return {
    play(ms) {
      player.send(ms);
      return answer();
    },
    async end() {
      if (player.exitCode !== null) return;
      player.disconnect();
      await once(player, 'exit');
    },
  };
}

/** `prepare` gets the settings and gives `play(ms)` and `close()`. */
export async function serve(prepare) {
  const [settings] = await once(process, 'message');
  const { play, close } = await prepare(settings);
  process.on('message', async (ms) => process.send(await play(ms)));
  process.on('disconnect', close);
  process.send('ready');
}
