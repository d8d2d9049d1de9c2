// SPDX-License-Identifier: Apache-2.0
import { chromium } from "playwright-core";

/// A headless Chromium: Debian's, or the one CHROMIUM names.
export function startBrowser() {
  // Chromium's own sandbox refuses to run as root, as tests in containers do.
  const args = process.getuid() === 0 ? ["--no-sandbox"] : [];
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  return chromium.launch({ executablePath, args });
}
