/** The certificate of the TLS listeners: replaced when its files change, while open connections keep the old one. */
import { readFile } from "node:fs/promises";
import { X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import { tlsPairProblems } from "./tls-pair.ts";

export interface TlsPair {
  /** PEM, with the chain. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

/** Paths of the files. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

export interface TlsCertificateOptions {
  readonly pair: TlsPair;
  /** Files to read, as configured now; `undefined` without files. */
  readonly files: () => TlsFiles | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly read?: (path: string) => Promise<string>;
}

/** The methods of Node's TLS server used here. */
export interface TlsListener {
  setSecureContext(pair: TlsPair): void;
}

/** How often the files are read: renewals come weeks before expiry, and mounts and symbolic links give no notification. */
const LOOK = 5_000 as Millis;

export class TlsCertificate implements Disposable {
  readonly #options: TlsCertificateOptions;
  readonly #listeners = new Set<TlsListener>();
  #pair: TlsPair;
  /** An unusable pair read once; reported only when read twice, since two files are never written at one moment. */
  #suspect: TlsPair | undefined;
  #told: TlsPair | undefined;
  /** The files were reported as unusable. */
  #isUnusable = false;
  #isUnreadable = false;
  #timer: Timer;

  constructor(options: TlsCertificateOptions) {
    this.#options = options;
    this.#pair = options.pair;
    this.#timer = this.#arm();
  }

  get pair(): TlsPair {
    return this.#pair;
  }

  /** Gives the listener the newest certificate for new connections from now on. */
  attach(listener: TlsListener): void {
    this.#listeners.add(listener);
  }

  /** Installs another pair. @returns what is wrong with it */
  use(pair: TlsPair): readonly string[] {
    if (isSame(pair, this.#pair)) return [];
    const problems = problemsOf(pair);
    if (problems.length > 0) return problems;
    for (const listener of this.#listeners) listener.setSecureContext(pair);
    this.#pair = pair;
    const { subject, validTo } = new X509Certificate(pair.cert);
    const about = { subject: subject.replaceAll("\n", ", "), validTo };
    this.#options.log.info(about, "TLS certificate changed: new connections get it, present ones go on");
    return [];
  }

  /** Reads the files. Never rejects. */
  async look(): Promise<void> {
    const { files, log, read = (path) => readFile(path, "utf8") } = this.#options;
    const paths = files();
    if (paths === undefined) return;
    try {
      const [cert, key] = await Promise.all([read(paths.cert), read(paths.key)]);
      this.#isUnreadable = false;
      this.#consider({ cert, key });
    } catch (err) {
      if (!this.#isUnreadable) log.error({ err }, "TLS files cannot be read: the certificate in use stays");
      this.#isUnreadable = true;
      this.#isUnusable = true;
    }
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
  }

  #consider(read: TlsPair): void {
    const problems = this.use(read);
    if (problems.length === 0) {
      if (this.#isUnusable) this.#options.log.info({}, "TLS files can be used again");
      this.#isUnusable = false;
      this.#suspect = undefined;
      this.#told = undefined;
      return;
    }
    const isConfirmed = isSame(read, this.#suspect);
    this.#suspect = read;
    if (!isConfirmed || isSame(read, this.#told)) return;
    this.#told = read;
    this.#isUnusable = true;
    this.#options.log.error({ problems }, "TLS files have changed and cannot be used: the certificate in use stays");
  }

  #arm(): Timer {
    return this.#options.clock.after(LOOK, () => {
      this.#timer = this.#arm();
      void this.look();
    });
  }
}

function problemsOf({ cert, key }: TlsPair): readonly string[] {
  const problems = tlsPairProblems(cert, key).map(({ part, message }) => `tls.${part} ${message}`);
  if (problems.length > 0) return problems;
  try {
    createSecureContext({ cert, key });
    return [];
  } catch (error) {
    return [`tls.cert or tls.key is refused: ${(error as Error).message}`];
  }
}

function isSame(one: TlsPair, other: TlsPair | undefined): boolean {
  return one.cert === other?.cert && one.key === other.key;
}
