// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/seconds.hpp"
#include "torpor/options.hpp"
#include "torpor/runtime.hpp"

#include <functional>
#include <cstdint>
#include <string>

namespace torpor {

// Each adds its subcommand to `torpor bench` (docs/bench.md).

void add_ingest_bench(CLI::App& bench, std::function<int()>& run);
void add_http_bench(CLI::App& bench, std::function<int()>& run);
void add_idle_bench(CLI::App& bench, std::function<int()>& run);
void add_read_bench(CLI::App& bench, std::function<int()>& run);
void add_recover_bench(CLI::App& bench, std::function<int()>& run);
void add_latency_bench(CLI::App& bench, std::function<int()>& run);
void add_wheel_bench(CLI::App& bench, std::function<int()>& run);
void add_pool_bench(CLI::App& bench, std::function<int()>& run);

/// What a bench that failed ends with: prints the error, gives the exit code.
[[nodiscard]] int bench_failed(const error& why, bool json);

/// The n-th stream of a bench: "bench/0000123".
[[nodiscard]] std::string bench_stream(std::uint64_t number);

/// A store with default options in a directory.
[[nodiscard]] result<runtime> open_bench_store(const std::string& directory);

/// `bytes` bytes that no compression makes smaller, the same in every run.
[[nodiscard]] std::string random_bytes(std::size_t bytes);

} // namespace torpor
