// A reporter of vitest: appends the tests that passed at the second try to the file in ERST_SECOND_TRIES, a line each, and
// shows what the first try failed with.

import { appendFileSync } from 'node:fs';

export default class SecondTries {
  onTestCaseResult(test) {
    if (!test.diagnostic()?.flaky) return;
    const name = `${test.module.relativeModuleId} > ${test.fullName}`;
    appendFileSync(process.env.ERST_SECOND_TRIES, `${name}\n`);
    for (const { stack, message } of test.result().errors ?? [])
      console.log(`first try of ${name}:\n${stack ?? message}`);
  }
}
