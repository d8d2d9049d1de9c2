// SPDX-License-Identifier: Apache-2.0
// The status page /ui in a browser, as torpord serves it.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  expect,
  onTestFinished,
  test,
} from "vitest";

import { startBrowser } from "./browser.js";
import { Daemon } from "./daemon.js";

const patient = { timeout: 15_000, interval: 50 };
const hostile = "<img src=x onerror=\"document.title='caught'\">";

let browser;
let daemon;
let page;
let complaints;
let strangers;

beforeAll(async () => {
  browser = await startBrowser();
  daemon = await Daemon.start();
});
afterAll(async () => {
  await browser.close();
  await daemon.stop();
});

/// A daemon for one test, which it does not outlive when that fails.
async function startOther(options) {
  const other = await Daemon.start(options);
  onTestFinished(() => other.kill());
  return other;
}

/// A page that notes what it complains of, and what it asks others than us.
async function openPage(of) {
  page = await (await browser.newContext()).newPage();
  complaints = [];
  strangers = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()))
      complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    const { protocol, origin, href } = new URL(request.url());
    if (protocol !== "data:" && origin !== of.url) strangers.push(href);
  });
  await page.goto(`${of.url}/ui`);
}

beforeEach(() => openPage(daemon));
afterEach(async () => {
  await page.context().close();
  expect(strangers).toEqual([]);
});

const text = (id) => page.locator(`#${id}`).textContent();
const figure = async (id) => Number((await text(id)).replaceAll(",", ""));
const entries = () => page.locator("#entries pre").allTextContents();
const until = (get) => expect.poll(get, patient);

async function send(method, name, body, type = "text/plain", headers = {}) {
  const path = name.split("/").map(encodeURIComponent).join("/");
  const answer = await fetch(daemon.streamUrl(path), {
    method,
    body,
    headers: { "Content-Type": type, ...headers },
  });
  if (!answer.ok) throw new Error(`${method} ${name}: ${answer.status}`);
}

async function choose(name) {
  await page.fill("#prefix", name);
  await page.press("#prefix", "Enter");
  await page.click(`#names button[title=${JSON.stringify(name)}]`);
  await until(() => text("name")).toBe(name);
  await until(() => text("stream-note")).not.toBe("reading…");
}

test("figures move after appends", async () => {
  await until(() => text("state")).toBe("ready");
  await until(() => text("dormant")).toMatch(/^[\d,]+$/);
  const before = (await figure("dormant")) + (await figure("awake"));
  for (const each of ["a", "b", "log"]) await send("PUT", `figures/${each}`);
  let stop = false;
  const appending = (async () => {
    while (!stop) await send("POST", "figures/log", "x".repeat(1000));
  })();
  try {
    await until(() => figure("append-rate")).toBeGreaterThan(0);
    await until(() => figure("request-rate")).toBeGreaterThan(0);
    await until(() => figure("commit-rate")).toBeGreaterThan(0);
    await until(() => figure("per-commit")).toBeGreaterThan(0);
    await until(() => text("append-bytes")).not.toMatch(/^(–|0 B)$/);
    await until(() => text("p50")).toMatch(/ (µs|ms)$/);
    await until(() => text("p99")).toMatch(/ (µs|ms|s)$/);
    await until(() => text("sync-p50")).toMatch(/ (µs|ms)$/);
  } finally {
    stop = true;
    await appending;
  }
  await until(() => figure("awake")).toBe(0);
  await until(() => figure("dormant")).toBe(before + 3);
  expect(await text("memory")).toMatch(/ of /);
  expect(await text("disk")).toMatch(/journal \d/);
  expect(await page.locator("#charts path.cool[d^=M]").count()).toBeGreaterThan(3);
  expect(complaints).toEqual([]);
});

test("a stream is found, looked into and followed", async () => {
  await send("PUT", "look/log", "three pears");
  await send("POST", "look/log", "two plums");
  await choose("look/log");
  await until(entries).toEqual(["three pears", "two plums"]);
  expect(await text("facts")).toContain("text/plain");
  await page.click("#follow");
  await send("POST", "look/log", "a quince");
  await until(entries).toEqual(["three pears", "two plums", "a quince"]);
  await page.click("text=Hex");
  await until(async () => (await entries())[2]).toContain("61 20 71 75");
  await page.click("#follow");
  expect(await page.getAttribute("#follow", "aria-pressed")).toBe("false");
  expect(complaints).toEqual([]);
});

test("an untouched fork shows the entries that it has inherited", async () => {
  await send("PUT", "fork/source", "three pears");
  await send("PUT", "fork/fork", undefined, "text/plain",
    { "Stream-Forked-From": "/v1/stream/fork/source" });
  await choose("fork/fork");
  await until(entries).toEqual(["three pears"]);
  expect(await text("stream-note")).toBe("");
  expect(await text("facts")).toContain("1, 1 of its source");
  expect(complaints).toEqual([]);
});

test("JSON is shown with its exact numbers", async () => {
  const exact = "12345678901234567890.10";
  await send("PUT", "json/log", `[{"n":${exact}}]`, "application/json");
  await choose("json/log");
  await until(entries).toEqual([`{\n  "n": ${exact}\n}`]);
  expect(complaints).toEqual([]);
});

test("names and entries of strangers are text, never part of the page", async () => {
  const name = `hostile/${hostile}/ümläut 100%?#`;
  await send("PUT", name, hostile);
  await choose(name);
  await until(entries).toEqual([hostile]);
  await page.click("#follow");
  await send("POST", name, hostile);
  await until(entries).toEqual([hostile, hostile]);
  expect(await page.title()).toBe("Torpor");
  expect(await page.locator("main img").count()).toBe(0);
  expect(complaints).toEqual([]);
});

test("a closed stream says so, an empty one too", async () => {
  await send("PUT", "ends/empty");
  await choose("ends/empty");
  await until(() => text("stream-note")).toBe("It has no entries.");
  await page.click("#follow");
  const answer = await fetch(daemon.streamUrl("ends/empty"), {
    method: "POST",
    body: "last",
    headers: { "Content-Type": "text/plain", "Stream-Closed": "true" },
  });
  expect(answer.ok).toBe(true);
  await until(entries).toEqual(["last"]);
  await until(() => text("stream-note")).toContain("closed");
  expect(complaints).toEqual([]);
});

test("what cannot be done says what to do next", async () => {
  await send("PUT", "gone/log", "soon away");
  await page.fill("#prefix", "gone/");
  await page.press("#prefix", "Enter");
  await page.waitForSelector("#names button");
  await fetch(daemon.streamUrl("gone/log"), { method: "DELETE" });
  await page.click("#names button");
  await until(() => text("stream-note")).toContain("Search again");
  await page.fill("#prefix", "no such name");
  await page.press("#prefix", "Enter");
  await until(() => text("names-note")).toContain("No name begins so");
});

test("everything is in reach of the keyboard", async () => {
  await send("PUT", "keys/a", "first");
  await send("PUT", "keys/b", "second");
  await page.keyboard.press("/");
  await page.keyboard.type("keys/");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#names button");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await until(entries).toEqual(["second"]);
  await page.focus("#charts svg");
  await page.keyboard.press("ArrowLeft");
  expect(await text("charts")).toContain("1 s ago");
});

/// As a browser does with a tab behind others.
const setHidden = (hidden) =>
  page.evaluate((value) => {
    Object.defineProperty(document, "hidden", { value, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);

test("a hidden page asks nothing", async () => {
  await page.clock.install();
  await page.reload();
  let asked = 0;
  page.on("request", () => (asked += 1));
  const askedAfter = async (ms) => {
    await page.clock.runFor(ms);
    return asked;
  };
  await until(() => askedAfter(1000)).toBeGreaterThan(2);
  await setHidden(true);
  asked = 0;
  for (let seconds = 0; seconds < 10; ++seconds)
    expect(await askedAfter(1000)).toBe(0);
  await setHidden(false);
  await until(() => askedAfter(1000)).toBeGreaterThan(1);
});

test("a daemon that is gone is told of, and found again", async () => {
  const other = await startOther();
  await page.context().close();
  await openPage(other);
  await until(() => text("state")).toBe("ready");
  await other.kill();
  await until(() => text("state")).toBe("no answer");
  expect(await text("trouble-next")).toContain("systemctl status torpord");
  await other.start({ "http.port": other.port });
  await until(() => text("state")).toBe("ready");
  await until(() => page.isVisible("#trouble")).toBe(false);
  await other.stop();
});

/// torpord with a token file, and a token for everything.
async function startLocked() {
  const rights = ["--verbs", "append,read,admin", "--prefix", "*"];
  const made = execFileSync(process.env.TORPOR, ["token", "--json", ...rights]);
  const { token, line } = JSON.parse(made);
  const file = join(process.env.TORPOR_TEST_DIR, "tokens");
  writeFileSync(file, `${line}\n`, { mode: 0o600 });
  return [await startOther({ "http.tokens": file }), token];
}

test("a token is asked for, and kept in this tab alone", async () => {
  const [locked, token] = await startLocked();
  await page.context().close();
  await openPage(locked);
  await page.waitForSelector("#token-dialog[open]");
  expect(await text("state")).toBe("locked");
  await page.fill("#token", token);
  await page.click("text=Use it");
  await until(() => text("state")).toBe("ready");
  await until(() => page.isVisible("#trouble")).toBe(false);
  const kept = await page.evaluate(() => ({
    local: localStorage.length,
    cookie: document.cookie,
    address: location.href,
  }));
  expect(kept).toEqual({ local: 0, cookie: "", address: `${locked.url}/ui` });
  // Another tab knows nothing of it.
  const another = await page.context().newPage();
  await another.goto(`${locked.url}/ui`);
  await another.waitForSelector("#token-dialog[open]");
  await another.close();
  await page.click("#token-open");
  await page.click("text=Forget it");
  await until(() => text("state")).toBe("locked");
  await locked.stop();
});
