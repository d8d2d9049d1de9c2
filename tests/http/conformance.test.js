// SPDX-License-Identifier: Apache-2.0
// The protocol's public test suite, as it is, against a torpord of its own.
import { runConformanceTests } from "@durable-streams/server-conformance-tests";
import { afterAll } from "vitest";

import { Daemon } from "./daemon.js";

const daemon = await Daemon.start();
afterAll(() => daemon.stop());

runConformanceTests({ baseUrl: daemon.url });
