// SPDX-License-Identifier: Apache-2.0
// The protocol's JavaScript client against torpord, over connections that break
// and a daemon that dies.
import {
  DurableStream,
  DurableStreamError,
  FetchError,
  IdempotentProducer,
  stream,
} from "@durable-streams/client";
import { createHash } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import { CuttingProxy } from "./cutting_proxy.js";
import { Daemon } from "./daemon.js";

const json = "application/json";
const backoffOptions = { initialDelay: 20, maxDelay: 200, multiplier: 2 };

let daemon;
let proxy;
beforeAll(async () => {
  daemon = await Daemon.start();
});
afterAll(() => daemon.stop());
beforeEach(async () => {
  proxy = await CuttingProxy.start(daemon.port);
});
afterEach(() => proxy.stop());

const numbers = (count) => Array.from({ length: count }, (_, number) => number);

function create(name, contentType = json) {
  return DurableStream.create({
    url: daemon.streamUrl(name),
    contentType,
    backoffOptions,
  });
}

/// Reads JSON live from the beginning until there are `count` items, and goes on
/// behind the last whole batch when a connection breaks.
async function readThrough(url, live, count, onBatch = () => {}) {
  const seen = { items: [], breaks: 0 };
  let offset = "-1";
  while (seen.items.length < count) {
    const enough = new AbortController();
    const read = { url, offset, live, backoffOptions, signal: enough.signal };
    try {
      const response = await stream(read);
      response.subscribeJson((batch) => {
        if (batch.items.length === 0) return;
        seen.items.push(...batch.items);
        offset = batch.offset;
        if (seen.items.length >= count) enough.abort();
        else onBatch(seen.items.length);
      });
      await response.closed;
    } catch (error) {
      // What the server says is no broken connection.
      if (error instanceof FetchError || error instanceof DurableStreamError)
        throw error;
      seen.breaks += 1;
    }
  }
  return seen;
}

test("text, JSON and bytes are read back as they were appended", async () => {
  const text = await create("back/text", "text/plain");
  await text.append("grüße, ");
  await text.append("again");
  const textBack = await text.stream({ live: false });
  expect(await textBack.text()).toBe("grüße, again");

  const items = await create("back/json");
  await items.append(JSON.stringify({ pears: 3 }));
  await items.append(JSON.stringify([1, [2]]));
  const itemsBack = await items.stream({ live: false });
  expect(await itemsBack.json()).toEqual([{ pears: 3 }, [1, [2]]]);

  const all = Uint8Array.from(numbers(256));
  const bytes = await create("back/bytes", "application/octet-stream");
  await bytes.append(all);
  const bytesBack = await bytes.stream({ live: false });
  expect(Buffer.from(await bytesBack.body())).toEqual(Buffer.from(all));
});

test("a closed stream takes nothing more and tells its readers", async () => {
  const log = await create("closed/log", "text/plain");
  await log.append("all");
  await log.close();
  await expect(log.append("more")).rejects.toMatchObject({ status: 409 });
  const response = await log.stream({ live: true });
  expect(await response.text()).toBe("all");
  expect(response.streamClosed).toBe(true);
});

test("a reader whose connection is cut goes on where it was", async () => {
  const log = await create("cut/log");
  // Nothing that a server could compress well.
  const items = numbers(3000).map((number) =>
    createHash("shake256", { outputLength: 500 })
      .update(`${number}`)
      .digest("hex"),
  );
  for (let at = 0; at < items.length; at += 500) {
    const producer = new IdempotentProducer(log, `filler-${at}`);
    for (const item of items.slice(at, at + 500))
      producer.append(JSON.stringify(item));
    await producer.flush();
  }
  proxy.cutOnceAfter(300_000);
  const url = proxy.streamUrl("cut/log");
  const seen = await readThrough(url, "long-poll", items.length);
  expect(proxy.cuts).toBe(1);
  expect(seen.breaks).toBe(1);
  expect(seen.items).toEqual(items);
});

test.each(["sse", "long-poll"])(
  "a live reader (%s) sees each entry once, over cuts",
  async (live) => {
    const log = await create(`live/${live}`);
    const count = 60;
    let next = 0;
    const append = () => log.append(JSON.stringify(next++));
    // Each entry is appended when the one before has been seen; a third of the
    // connections is cut while the reader waits.
    const onBatch = (read) => {
      if (read % 3 === 0) proxy.cut();
      append();
    };
    append();
    const url = proxy.streamUrl(`live/${live}`);
    const seen = await readThrough(url, live, count, onBatch);
    expect(proxy.cuts).toBeGreaterThan(10);
    expect(seen.items).toEqual(numbers(count));
  },
);

async function restart() {
  await daemon.kill();
  await daemon.start();
  proxy.target = daemon.port;
}

/// The client's producer leaves broken connections to its caller. Calls back
/// with how many requests were answered.
function patientFetch(onAnswer) {
  let answers = 0;
  return async (...request) => {
    for (;;) {
      try {
        const response = await fetch(...request);
        onAnswer(++answers);
        if (response.status !== 503) return response;
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
      }
      await new Promise((again) => setTimeout(again, 20));
    }
  };
}

test("a producer's entries are there once each after kill -9", async () => {
  const count = 4000;
  const killAt = [20, 60, 100]; // Of more than 160 requests.
  await create("once/log");
  const url = proxy.streamUrl("once/log");
  const errors = [];
  const restarts = [];
  // Four more requests are on their way when the daemon dies.
  const killWhenDue = (answers) => {
    if (killAt.includes(answers)) restarts.push(restart());
  };
  const producer = new IdempotentProducer(
    new DurableStream({ url, contentType: json }),
    "till-7",
    {
      fetch: patientFetch(killWhenDue),
      maxBatchBytes: 100,
      maxInFlight: 5,
      onError: (error) => errors.push(error),
    },
  );
  const follower = readThrough(url, "sse", count);
  for (const number of numbers(count)) producer.append(JSON.stringify(number));
  await producer.flush();
  await Promise.all(restarts);
  expect(restarts.length).toBe(killAt.length);
  expect(errors).toEqual([]);
  const log = await stream({ url, live: false, backoffOptions });
  expect(await log.json()).toEqual(numbers(count));
  expect((await follower).items).toEqual(numbers(count));
});

test("what was acknowledged before kill -9 is there after it", async () => {
  const log = await create("durable/log", "text/plain");
  await log.append("acknowledged");
  const { offset } = await log.head();
  await restart();
  const url = daemon.streamUrl("durable/log");
  const response = await stream({ url, live: false, backoffOptions });
  expect(await response.text()).toBe("acknowledged");
  expect(response.offset).toBe(offset);
});
