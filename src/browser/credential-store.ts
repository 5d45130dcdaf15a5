// Credentials of paired bridges in IndexedDB, one entry for each bridge address. They are stored by structured clone, so a
// non-extractable key stays non-extractable. Storage belongs to the page's origin (scheme, host and port).

import { RemoteError } from '../errors.js';
import type { BrowserCredentials } from '../signers/remote/remote.browser.js';

const DATABASE = 'erst-hsm';
const STORE = 'credentials';
const PROBE = '';

/**
 * Keeps what pairing gave, for later visits.
 *
 * Every method rejects with a `SignerError` of code `storage-unavailable` where the browser does not let this page store
 * data: site data is blocked, a private window forbids it, or the disk is full.
 */
export class CredentialStore {
  readonly #database: IDBDatabase;

  private constructor(database: IDBDatabase) {
    this.#database = database;
  }

  static async open(): Promise<CredentialStore> {
    return new CredentialStore(await guarded(openDatabase));
  }

  /** Keeps `credentials` under their `url`, in place of what was kept for it before. */
  async save(credentials: BrowserCredentials): Promise<void> {
    await this.#run('readwrite', (store) => store.put(credentials, credentials.url));
  }

  /** The credentials for the bridge at `url`, or `undefined`. */
  async load(url: string): Promise<BrowserCredentials | undefined> {
    return await this.#run('readonly', (store) => store.get(url));
  }

  /** All credentials, sorted by `url`. */
  async list(): Promise<BrowserCredentials[]> {
    return await this.#run('readonly', (store) => store.getAll());
  }

  /** Forgets the credentials for `url`, the private key with them. No error where there are none. */
  async remove(url: string): Promise<void> {
    await this.#run('readwrite', (store) => store.delete(url));
  }

  /**
   * Resolves if a value like `identity` can be kept. Ask before a pairing link is used up: some browsers store data in
   * private windows, but no keys.
   */
  async check(identity: BrowserCredentials['identity']): Promise<void> {
    await this.#run('readwrite', (store) => {
      store.put({ identity }, PROBE);
      return store.delete(PROBE);
    });
  }

  close(): void {
    this.#database.close();
  }

  /** The answer to the request that `work` makes, once its transaction is on disk. */
  #run<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    return guarded(
      () =>
        new Promise<T>((resolve, reject) => {
          const transaction = this.#database.transaction(STORE, mode, { durability: 'strict' });
          const request = work(transaction.objectStore(STORE));
          transaction.oncomplete = () => resolve(request.result);
          transaction.onabort = () => reject(transaction.error);
        }),
    );
  }
}

function openDatabase(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const database = request.result;
      database.onversionchange = () => database.close();
      resolve(database);
    };
  });
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new RemoteError(
      'storage-unavailable',
      `This page cannot store data in this browser: ${reason(cause)}.`,
      {
        cause,
      },
    );
  }
}

function reason(cause: unknown): string {
  if (typeof indexedDB === 'undefined') return 'it has no IndexedDB';
  const name = cause instanceof Error ? cause.name : '';
  if (name === 'QuotaExceededError') return 'the disk, or the share of it that this page may use, is full';
  if (name === 'SecurityError') return 'site data is blocked for this address; allow it in the site settings';
  if (name === 'DataCloneError')
    return 'it does not keep keys in this window; a private window may be the cause';
  if (name === 'InvalidStateError') return 'its database is closed; reload the page';
  return 'a private window or blocked site data may be the cause';
}
