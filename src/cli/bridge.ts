// `erst-hsm bridge`

import { Command } from 'commander';
import { withExamples } from './help.js';

export interface BridgeCommandOptions {
  config?: string;
  listen?: string[];
  stateDir?: string;
  softhsm?: true;
  tlsCert?: string;
  tlsKey?: string;
  publicOrigin?: string;
  allowPlainWs?: true;
  origin?: string[];
  console: boolean;
  json?: true;
}

export function bridgeCommand(): Command {
  const command = new Command('bridge')
    .description(
      'serve keys to browsers and programs; without options, on this machine only, with keys of its own',
    )
    .option('-c, --config <file>', 'JSON file: which keys, and all that the options below say')
    .option('--softhsm', 'keys in a SoftHSM token of its own')
    .option(
      '-l, --listen <host:port>',
      'where to listen (default: localhost:27183); may be repeated',
      collect,
    )
    .option(
      '--state-dir <dir>',
      'identity, clients, records and key store (default: $XDG_STATE_HOME/erst-hsm)',
    )
    .option('--tls-cert <file>', 'certificate chain (PEM), to serve https and wss')
    .option('--tls-key <file>', 'its private key (PEM)')
    .option('--public-origin <origin>', 'how browsers reach it through a proxy, like https://sign.example')
    .option('--allow-plain-ws', 'allow listening beyond loopback without TLS; browsers cannot use it')
    .option(
      '-o, --origin <origin>',
      'web page that may connect, like https://app.example; may be repeated',
      collect,
    )
    .option('--no-console', 'do not serve the web console')
    .option('--json', 'print where it is, and the pairing link, as one line of JSON')
    .action(async (options: BridgeCommandOptions) => {
      // What serves takes longer to load than most commands take to run.
      const { runBridge } = await import('./run-bridge.js');
      await runBridge(options);
    });
  withExamples(command, [
    ['try it: open the link that it prints', 'erst-hsm bridge'],
    ['the same with the keys in a software HSM', 'erst-hsm bridge --softhsm'],
    ['with the keys of an HSM', 'erst-hsm bridge --config bridge.json'],
  ]);
  return command.addHelpText('after', configHelp);
}

const configHelp = `
A configuration file, for example:
  {
    "keys": {
      "treasury": {
        "signerType": "pkcs11",
        "pkcs11": {
          "modulePath": "/usr/lib/softhsm/libsofthsm2.so",
          "tokenLabel": "erst",
          "keyLabel": "treasury",
          "pinFile": "pin"
        }
      }
    },
    "origins": ["https://app.example"]
  }`;

const collect = (value: string, earlier: string[] = []) => [...earlier, value];
