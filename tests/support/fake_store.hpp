// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/store_view.hpp"

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace torpor::test {

/// A store that says what it is told, at once or when it is let.
/// Threads: one owner.
class fake_store final : public store_view {
public:
  [[nodiscard]] readiness health() const override { return state; }
  [[nodiscard]] histogram_counts commits() const override { return {}; }
  [[nodiscard]] disk_facts disk() const override { return {1, 2, 3}; }
  void stats(std::function<void(const runtime_stats&)> done) override {
    later([this, done = std::move(done)] { done(counts); });
  }
  void list(const std::string& prefix, const std::string& after,
            std::size_t count_max,
            std::function<void(result<stream_names>)> done) override {
    stream_names names;
    for (const auto& [name, info] : streams)
      if (name.starts_with(prefix) && name > after && names.size() < count_max)
        names.emplace_back(name, info.id);
    later([done = std::move(done), names] { done(names); });
  }
  void info(const std::string& name,
            std::function<void(result<stream_info>)> done) override {
    const auto found = streams.find(name);
    later([done = std::move(done),
           told = found != streams.end()
                    ? result<stream_info>{found->second}
                    : fail(errc::not_found, "no stream of that name")] {
      done(told);
    });
  }

  /// Gives the answers that are held back.
  void answer() {
    for (const auto& each : std::exchange(held_, {}))
      each();
  }

  readiness state;
  runtime_stats counts;
  std::map<std::string, stream_info> streams;
  bool holds = false; ///< Answers wait for `answer`.

private:
  void later(std::function<void()> done) {
    if (holds)
      held_.push_back(std::move(done));
    else
      done();
  }

  std::vector<std::function<void()>> held_;
};

} // namespace torpor::test
