// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { createWriteStream, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

const startMs = 30_000;
const stopMs = 30_000;

function fromEnvironment(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; run tests/http/run`);
  return value;
}

/// A torpord with a store of its own below TORPOR_TEST_DIR, which tests/http/run
/// removes when all went well. It listens on a free port of the loopback address;
/// the program is TORPORD. What it logs is kept beside the store.
export class Daemon {
  #directory = mkdtempSync(join(fromEnvironment("TORPOR_TEST_DIR"), "daemon-"));
  #log = createWriteStream(join(this.#directory, "torpord.log"));
  #options;
  #process = null;
  #exited = null;
  port = 0;

  constructor(options) {
    this.#options = options;
  }

  /// Options are those of torpord without "--torpor.": { "http.port": 0 }.
  static async start(options = {}) {
    const daemon = new Daemon(options);
    await daemon.start();
    return daemon;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  streamUrl(name) {
    return `${this.url}/v1/stream/${name}`;
  }

  /// Starts it with its store as it was left; `options` come on top.
  async start(options = {}) {
    const settings = {
      "data-dir": join(this.#directory, "store"),
      "http.port": 0,
      ...this.#options,
      ...options,
    };
    this.#process = spawn(
      fromEnvironment("TORPORD"),
      Object.entries(settings).map(([key, value]) => `--torpor.${key}=${value}`),
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    this.#exited = new Promise((resolve) => {
      this.#process.once("error", (error) => resolve(error.message));
      this.#process.once("exit", (code, signal) => resolve(signal ?? code));
    });
    this.port = await this.#listening();
  }

  /// As kill -9 or a power cut of the process does.
  async kill() {
    this.#process.kill("SIGKILL");
    await this.#exited;
  }

  /// Ends it as systemd does, and demands that it ends well.
  async stop() {
    this.#process.kill("SIGTERM");
    const ended = await within(stopMs, this.#exited, "torpord did not stop");
    if (ended !== 0) throw new Error(`torpord ended with ${ended}`);
  }

  /// The port, which its log tells.
  #listening() {
    const lines = createInterface({ input: this.#process.stderr });
    const told = new Promise((resolve, reject) => {
      const last = [];
      lines.on("line", (line) => {
        this.#log.write(`${line}\n`);
        last.push(line);
        if (last.length > 10) last.shift();
        const port = /\blistening\b.* port=(\d+)/.exec(line);
        if (port) resolve(Number(port[1]));
      });
      this.#exited.then((ended) =>
        reject(
          new Error(`torpord did not start: ${ended}\n${last.join("\n")}`),
        ),
      );
    });
    return within(startMs, told, "torpord does not say where it listens");
  }
}

async function within(ms, promise, complaint) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${complaint} in ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
