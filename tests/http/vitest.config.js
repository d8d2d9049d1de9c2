// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from "vitest/config";

export default defineConfig({
  cacheDir: "../../build/node/cache",
  test: {
    hookTimeout: 60_000,
    testTimeout: 60_000,
  },
});
