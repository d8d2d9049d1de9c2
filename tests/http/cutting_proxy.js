// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { connect, createServer } from "node:net";

/// What stands between a client and a server, and fails: it passes bytes on to
/// a port of this machine, which can change, and cuts connections when told.
export class CuttingProxy {
  #server = createServer((client) => this.#accept(client));
  #clients = new Set();
  #cutAfter = Infinity;
  cuts = 0;

  constructor(target) {
    this.target = target;
  }

  static async start(target) {
    const proxy = new CuttingProxy(target);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  streamUrl(name) {
    return `${this.url}/v1/stream/${name}`;
  }

  /// Cuts all connections there are, with a reset.
  cut() {
    for (const client of this.#clients) this.#reset(client);
  }

  /// Cuts one connection when it has carried so many bytes to its client.
  cutOnceAfter(bytes) {
    this.#cutAfter = bytes;
  }

  async stop() {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #accept(client) {
    const server = connect(this.target, "127.0.0.1");
    let carried = 0;
    this.#clients.add(client);
    client.on("error", () => {});
    client.on("close", () => {
      this.#clients.delete(client);
      server.destroy();
    });
    server.on("error", () => {});
    server.on("close", () => client.destroy());
    server.on("data", (bytes) => {
      carried += bytes.length;
      if (carried <= this.#cutAfter) return;
      this.#cutAfter = Infinity;
      this.#reset(client);
    });
    client.pipe(server);
    server.pipe(client);
  }

  #reset(client) {
    this.cuts += 1;
    client.resetAndDestroy();
  }
}
