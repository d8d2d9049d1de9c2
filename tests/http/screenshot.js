// SPDX-License-Identifier: Apache-2.0
// Makes docs/ui.png: the status page of a torpord with many streams, of which
// few have something to do.
import { fileURLToPath } from "node:url";

import { startBrowser } from "./browser.js";
import { Daemon } from "./daemon.js";

const streams = 20_000;
const writers = 64;
const seconds = Number(process.argv[2] ?? 120);
const picture = fileURLToPath(new URL("../../docs/ui.png", import.meta.url));
const headers = { "Content-Type": "application/json" };

const daemon = await Daemon.start();
const name = (number) => `acme/device-${String(number).padStart(5, "0")}`;
const send = (method, number, value) =>
  fetch(daemon.streamUrl(name(number)), {
    method,
    headers,
    body: JSON.stringify(value),
  }).then((answer) => answer.arrayBuffer());

/// So many at once, until `next` says there is nothing more to do.
const work = (next) =>
  Promise.all(
    Array.from({ length: writers }, async () => {
      for (let job = next(); job; job = next()) await job();
    }),
  );

let made = 0;
const create = () => send("PUT", made++, []);
console.log(`makes ${streams} streams`);
await work(() => (made < streams ? create : null));

const reading = (number) => ({
  celsius: 20 + (number % 70) / 10,
  door: number % 9 === 0 ? "open" : "closed",
});
const end = Date.now() + seconds * 1000;
const append = () => {
  const number = Math.floor(Math.random() * streams);
  return send("POST", number, reading(number));
};

const browser = await startBrowser();
const page = await browser.newPage({
  viewport: { width: 1100, height: 1080 },
  colorScheme: "dark",
});
await page.goto(`${daemon.url}/ui`);
await page.fill("#prefix", name(4096).slice(0, -1));
await page.press("#prefix", "Enter");
await page.click(`#names button[title="${name(4096)}"]`);
await page.click("#follow");

console.log(`appends for ${seconds} s`);
const follow = setInterval(() => send("POST", 4096, reading(Date.now())), 3000);
await work(() => (Date.now() < end - 3000 ? append : null));
clearInterval(follow);
await page.screenshot({ path: picture, fullPage: false });
console.log(`made ${picture}`);

await browser.close();
await daemon.stop();
