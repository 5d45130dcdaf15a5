// The console's connection to the bridge that served it: pairing, connecting, trying again, and signing. Knows nothing of
// the page: `onState` hears of every change. One attempt runs at a time; a new one ends the one before.

import { toBase64Url } from '../../bytes.js';
import { SignerError } from '../../errors.js';
import { type PairingLink, parsePairingLink, webSocketUrl } from '../../protocol/pairing.js';
import { BridgeClient } from '../../signers/remote/bridge-client.js';
import { pinsOf, type RemoteKey, readCredentials, readKeyInfo } from '../../signers/remote/credentials.js';
import { type BrowserIdentity, generateBrowserIdentity } from '../../signers/remote/identity.browser.js';
import { browserPlatform } from '../../signers/remote/platform.browser.js';
import type { BrowserCredentials } from '../../signers/remote/remote.browser.js';
import { Signature } from '../../signers/signature.js';
import { CredentialStore } from '../credential-store.js';
import type { Message } from './message.js';

export interface ConsoleKey extends RemoteKey {
  /** Whether the bridge now shows another public key than the one that was pinned. */
  changed: boolean;
}

/** What is known of the pairing, for people. */
export interface Pairing {
  bridgeKey: string;
  client: string | undefined;
  version: string | undefined;
  protection: BrowserIdentity['protection'];
}

export interface Notice {
  tone: 'good' | 'warn';
  text: string;
}

export type SessionState =
  | { view: 'connecting' | 'pairing' | 'unpaired' | 'unreachable' | 'revoked' | 'unrecognized' }
  | { view: 'link-damaged' | 'link-refused' | 'link-foreign' }
  | { view: 'no-storage' | 'failed'; reason: string }
  | { view: 'connected'; keys: readonly ConsoleKey[]; notice: Notice | undefined };

type LinkProblem = 'link-damaged' | 'link-refused' | 'link-foreign';

const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 8_000;
/** A connection that lasted this long starts the delays afresh. */
const STEADY_MS = 10_000;

const LINK_NOTICES: Readonly<Record<LinkProblem, string>> = {
  'link-damaged': 'The link is damaged and was not used. This browser is connected by its earlier pairing.',
  'link-refused': 'The link has been used or has expired. This browser is connected by its earlier pairing.',
  'link-foreign': 'The link belongs to another bridge. This browser is connected by its earlier pairing.',
};

export class Session {
  readonly #url: string;
  readonly #clientName: string;
  readonly #onState: (state: SessionState, pairing: Pairing | undefined) => void;
  #store: CredentialStore | undefined;
  #credentials: BrowserCredentials | undefined;
  #link: PairingLink | undefined;
  #linkProblem: LinkProblem | undefined;
  #client: BridgeClient | undefined;
  #attempt = new AbortController();
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** For the bridge at `origin`, which this browser tells that it is called `clientName`. */
  constructor(
    origin: string,
    clientName: string,
    onState: (state: SessionState, pairing: Pairing | undefined) => void,
  ) {
    this.#url = webSocketUrl(origin);
    this.#clientName = clientName;
    this.#onState = onState;
  }

  /** Pairs by `link`, where there is one, or else connects by what an earlier visit has left. */
  async start(link?: string): Promise<void> {
    this.#linkProblem = undefined;
    try {
      this.#store ??= await CredentialStore.open();
      this.#credentials ??= await this.#store.load(this.#url);
    } catch (error) {
      return this.#show({ view: 'no-storage', reason: messageOf(error) });
    }
    this.#dropLink();
    try {
      if (link !== undefined) this.#link = parsePairingLink(link);
    } catch {
      this.#linkProblem = 'link-damaged';
    }
    await this.retry();
  }

  /** Tries at once, whatever was going on. */
  async retry(): Promise<void> {
    this.#end();
    this.#show({ view: this.#link ? 'pairing' : 'connecting' });
    await this.#try();
  }

  /** Deletes this browser's key for the bridge, and ends the connection. */
  async forget(): Promise<void> {
    this.#end();
    this.#dropLink();
    this.#linkProblem = undefined;
    try {
      await this.#store?.remove(this.#url);
    } catch (error) {
      return this.#show({ view: 'failed', reason: messageOf(error) });
    }
    this.#credentials = undefined;
    this.#show({ view: 'unpaired' });
  }

  /** Whether the bridge could not be reached and is being tried again. */
  get isWaiting(): boolean {
    return this.#timer !== undefined;
  }

  /** What the bridge answers, unverified. */
  async sign(key: ConsoleKey, { data, prehashed }: Message): Promise<Signature> {
    if (this.#client === undefined) throw new SignerError('connection-lost', 'The bridge is not connected.');
    const fields = { key: key.name, data, ...(prehashed ? { prehashed } : {}) } as const;
    const { signature, recovery } = await this.#client.request('sign', fields);
    return Signature.fromBytes(key.algorithm, signature, recovery);
  }

  async #try(): Promise<void> {
    const { signal } = this.#attempt;
    try {
      if (this.#link) await this.#pair(this.#link, signal);
      else if (this.#credentials) await this.#connect(this.#credentials, signal);
      else this.#show({ view: this.#linkProblem ?? 'unpaired' });
    } catch (error) {
      if (!signal.aborted) await this.#fail(error);
    }
  }

  async #pair(link: PairingLink, signal: AbortSignal): Promise<void> {
    const identity = await generateBrowserIdentity();
    await this.#store!.check(identity);
    const client = await BridgeClient.connect(browserPlatform, {
      url: this.#url,
      bridgeKey: link.bridgeKey,
      staticKeys: await browserPlatform.keyPair(identity),
      pairing: { secret: link.secret, name: this.#clientName },
      signal,
    });
    this.#dropLink();
    this.#credentials = {
      url: this.#url,
      bridgeKey: toBase64Url(link.bridgeKey),
      identity,
      client: client.welcome.client,
      keys: {},
    };
    await this.#open(client, {
      tone: 'good',
      text: `Paired. The bridge knows this browser as ${client.welcome.client}.`,
    });
  }

  async #connect(credentials: BrowserCredentials, signal: AbortSignal): Promise<void> {
    const client = await BridgeClient.connect(browserPlatform, {
      url: this.#url,
      bridgeKey: readCredentials(credentials).bridgeKey,
      staticKeys: await browserPlatform.keyPair(credentials.identity),
      signal,
    });
    await this.#open(client, this.#linkProblem && { tone: 'warn', text: LINK_NOTICES[this.#linkProblem] });
  }

  async #open(client: BridgeClient, notice: Notice | undefined): Promise<void> {
    const { signal } = this.#attempt;
    const openedAt = Date.now();
    this.#client = client;
    void client.closed.then(() => {
      if (signal.aborted) return;
      if (Date.now() - openedAt > STEADY_MS) this.#failures = 0;
      this.#tryLater('connecting');
    });
    const keys = this.#pinKeys(client);
    const problem = await this.#save();
    if (this.#client === client) this.#show({ view: 'connected', keys, notice: problem ?? notice });
  }

  /** The keys as the bridge shows them now. A key that is new is pinned; one that was pinned before must be the same. */
  #pinKeys({ welcome }: BridgeClient): ConsoleKey[] {
    const credentials = this.#credentials!;
    const { pins } = readCredentials(credentials);
    const keys = { ...pinsOf(welcome.keys), ...credentials.keys };
    this.#credentials = { ...credentials, client: welcome.client, keys };
    return welcome.keys.map(readKeyInfo).map((key) => {
      const pin = pins.get(key.name);
      return {
        ...key,
        changed: pin !== undefined && key.publicKey !== undefined && !pin.equals(key.publicKey),
      };
    });
  }

  async #save(): Promise<Notice | undefined> {
    try {
      await this.#store!.save(this.#credentials!);
      return undefined;
    } catch (error) {
      return { tone: 'warn', text: `This pairing ends with this page. ${messageOf(error)}` };
    }
  }

  async #fail(error: unknown): Promise<void> {
    const code = error instanceof SignerError ? error.code : undefined;
    switch (code) {
      case 'bridge-unreachable':
      case 'connection-lost':
      case 'timeout':
        return this.#tryLater('unreachable');
      case 'client-not-accepted':
        if (this.#link) return this.#giveUpLink('link-refused');
        return this.#show({ view: this.#linkProblem ?? 'revoked' });
      case 'bridge-not-recognized':
        if (this.#link) return this.#giveUpLink('link-foreign');
        return this.#show({ view: 'unrecognized' });
      case 'storage-unavailable':
        return this.#show({ view: 'no-storage', reason: messageOf(error) });
      default:
        return this.#show({ view: 'failed', reason: messageOf(error) });
    }
  }

  /** Goes on without the link: by an earlier pairing, or not at all. */
  #giveUpLink(problem: LinkProblem): Promise<void> {
    this.#dropLink();
    this.#linkProblem = problem;
    return this.#try();
  }

  #dropLink(): void {
    this.#link?.secret.fill(0);
    this.#link = undefined;
  }

  #tryLater(view: 'connecting' | 'unreachable'): void {
    this.#client = undefined;
    this.#show({ view });
    const delay = Math.min(FIRST_DELAY_MS * 2 ** this.#failures++, MAX_DELAY_MS);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#try();
    }, delay);
  }

  /** Ends the connection, or the attempt at one. */
  #end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#attempt.abort();
    this.#attempt = new AbortController();
    this.#client?.close();
    this.#client = undefined;
  }

  #show(state: SessionState): void {
    const { bridgeKey, client, identity } = this.#credentials ?? {};
    const version = this.#client?.welcome.version;
    const pairing = identity && { bridgeKey: bridgeKey!, client, version, protection: identity.protection };
    this.#onState(state, pairing);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
