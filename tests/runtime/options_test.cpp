// SPDX-License-Identifier: Apache-2.0
#include "torpor/options.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>

using namespace torpor;
using namespace std::chrono_literals;

namespace {

/// Demands that an option is taken at both ends of its range, and refused
/// one step beyond with a message that names it.
template <class Set>
void check_range(const std::string& name, std::uint64_t low,
                 std::uint64_t high, std::uint64_t step, Set set) {
  CAPTURE(name);
  const auto validated = [&set](std::uint64_t value) {
    options given;
    set(given, value);
    return validate(given);
  };
  CHECK(validated(low));
  CHECK(validated(high));
  const auto demand_refusal = [&](std::uint64_t value) {
    const auto refused = validated(value);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::invalid_argument);
    CHECK(refused.error().context.find(name + " is ") == 0);
    CHECK(refused.error().context.find(std::to_string(value))
          != std::string::npos);
  };
  demand_refusal(high + step);
  if (low > 0)
    demand_refusal(low - step);
}

constexpr std::uint64_t kib = 1u << 10;
constexpr std::uint64_t mib = 1u << 20;
constexpr std::uint64_t gib = 1u << 30;

template <class Member>
auto number(Member member) {
  return [member](options& given, std::uint64_t value) {
    auto& field = std::invoke(member, given);
    field = static_cast<std::remove_reference_t<decltype(field)>>(value);
  };
}

template <class Member>
auto span(Member member) {
  return [member](options& given, std::uint64_t value) {
    std::invoke(member, given) = std::chrono::milliseconds{value};
  };
}

} // namespace

TEST_SUITE("options") {
  TEST_CASE("the defaults are valid and every choice is made") {
    const auto chosen = validate({});
    REQUIRE(chosen);
    CHECK(chosen->pool.workers >= 1);
    CHECK(chosen->pool.workers <= 8);
    CHECK(chosen->pool.shards == chosen->pool.workers);
    CHECK(chosen->sync.max_delay == 5000ms);
    CHECK(chosen->create_on_append);
  }

  TEST_CASE("what was chosen by hand stays") {
    options given;
    given.pool.workers = 3;
    CHECK(validate(given)->pool.shards == 3);
    given.pool.shards = 7;
    CHECK(validate(given)->pool.workers == 3);
    CHECK(validate(given)->pool.shards == 7);
  }

  TEST_CASE("each option is taken in its range and named when it is not") {
    check_range("sync.max-delay", 1, 3'600'000, 1,
                span([](options& o) -> auto& { return o.sync.max_delay; }));
    check_range("sync.max-bytes", 4 * kib, 16 * mib, 1,
                number([](options& o) -> auto& { return o.sync.max_bytes; }));
    check_range("sync.linger", 0, 1000, 1,
                span([](options& o) -> auto& { return o.sync.linger; }));
    check_range("sync.window", 1, 65536, 1,
                number([](options& o) -> auto& { return o.sync.window; }));
    check_range("memory.buffered-bytes-max", mib, 1024 * gib, 1,
                number([](options& o) -> auto& {
                  return o.memory.buffered_bytes_max;
                }));
    check_range("memory.stream-bytes-max", 64 * kib, gib, 1,
                number([](options& o) -> auto& {
                  return o.memory.stream_bytes_max;
                }));
    check_range("memory.tenant-bytes-max", 0, 1024 * gib, 1,
                number([](options& o) -> auto& {
                  return o.memory.tenant_bytes_max;
                }));
    check_range("memory.record-cache", 0, 100'000'000, 1,
                number([](options& o) -> auto& {
                  return o.memory.record_cache;
                }));
    check_range("memory.tenants.acme", 1, 1024 * gib, 1,
                number([](options& o) -> auto& {
                  return o.memory.tenants["acme"];
                }));
    check_range("journal.file-bytes", 64 * kib, gib, 4 * kib,
                number([](options& o) -> auto& {
                  return o.journal.file_bytes;
                }));
    check_range("journal.idle-mark", 10, 3'600'000, 1,
                span([](options& o) -> auto& { return o.journal.idle_mark; }));
    check_range("pool.readers", 1, 16, 1,
                number([](options& o) -> auto& { return o.pool.readers; }));
  }

  TEST_CASE("a negative time is refused") {
    options given;
    given.sync.linger = -1ms;
    CHECK_FALSE(validate(given));
  }

  TEST_CASE("workers and shards are at most 64") {
    options given;
    given.pool.workers = 64;
    given.pool.shards = 64;
    CHECK(validate(given));
    given.pool.workers = 65;
    CHECK(validate(given).error().context.find("pool.workers") == 0);
    given.pool.workers = 1;
    given.pool.shards = 65;
    CHECK(validate(given).error().context.find("pool.shards") == 0);
  }

  TEST_CASE("a store needs a directory") {
    options given;
    given.data_dir.clear();
    CHECK_FALSE(validate(given));
  }

  TEST_CASE("a journal file is a multiple of 4 KiB") {
    options given;
    given.journal.file_bytes = mib + 512;
    CHECK_FALSE(validate(given));
  }

  TEST_CASE("a stream's policy may leave each choice to the store") {
    CHECK(check_policy({}));
    CHECK(check_policy({.max_delay_ms = 1}));
    CHECK(check_policy({.max_bytes = 4096}));
    CHECK(check_policy({.linger_ms = 1}));
    CHECK(check_policy({3'600'000, 16u << 20, 1000}));
  }

  TEST_CASE("a stream's policy beyond its ranges is refused") {
    for (const auto& policy :
         {sync_policy{.max_delay_ms = 3'600'001},
          sync_policy{.max_bytes = 4095},
          sync_policy{.max_bytes = (16u << 20) + 1},
          sync_policy{.linger_ms = 1001}}) {
      const auto refused = check_policy(policy);
      REQUIRE_FALSE(refused);
      CHECK(refused.error().code == errc::invalid_argument);
    }
  }
}
