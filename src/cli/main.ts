#!/usr/bin/env node
// The command `erst-hsm`.

import { keepOutOfCoreDumps } from '../signers/pkcs11/process/hardening.js';
import { run } from './run.js';

keepOutOfCoreDumps();
process.exitCode = await run(process.argv.slice(2));
