// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/inquiry.hpp"
#include "server/server_facts.hpp"

#include <functional>
#include <memory>
#include <string>

namespace torpor {

class engine;

/// What the pages about the server ask its store. Nothing here waits; answers
/// come once, on any thread, `done` with shut_down when the store is closing.
/// Threads: any.
class store_view {
public:
  virtual ~store_view() = default;

  [[nodiscard]] virtual readiness health() const = 0;
  [[nodiscard]] virtual histogram_counts commits() const = 0;
  [[nodiscard]] virtual disk_facts disk() const = 0;
  virtual void stats(std::function<void(const runtime_stats&)> done) = 0;
  virtual void list(const std::string& prefix, const std::string& after,
                    std::size_t count_max,
                    std::function<void(result<stream_names>)> done) = 0;
  virtual void info(const std::string& name,
                    std::function<void(result<stream_info>)> done) = 0;
};

/// The view of an open store.
[[nodiscard]] std::unique_ptr<store_view>
view_of(std::shared_ptr<engine> engine);

} // namespace torpor
