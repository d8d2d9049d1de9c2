// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/journal_scan.hpp"
#include "tests/support/simulated_disk.hpp"

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace torpor::test {

/// A block as a test sees it: "stream/first: payload".
struct told_block {
  std::string text;
  block_place place;
};

/// A small journal on a simulated disk. Threads: one owner.
class journal_fixture {
public:
  explicit journal_fixture(std::uint64_t seed = 1) : disk{seed} {
    REQUIRE(disk.make_directory("journal"));
    config.directory = "journal";
    config.store.fill(std::byte{0x5a});
    config.file_bytes = 64u << 10;
  }

  /// A block with one entry, kept until the fixture ends.
  journal_block block(std::uint64_t stream, const std::string& payload) {
    block_builder builder;
    builder.start(stream_id{stream}, sequence{next[stream]});
    builder.add(as_bytes(payload), {}, 1000);
    const auto bytes = builder.finish();
    kept.push_back(
      std::make_unique<std::vector<std::byte>>(bytes.begin(), bytes.end()));
    told.push_back(std::to_string(stream) + "/" + std::to_string(next[stream]++)
                   + ": " + payload);
    return {*kept.back(), {}};
  }

  /// Commits one block with that payload; acknowledged when durable.
  commit_outcome commit(const std::string& payload, std::uint64_t stream = 7) {
    auto one = block(stream, payload);
    journal_block* blocks[] = {&one};
    const auto outcome = log->commit(blocks);
    if (outcome == commit_outcome::durable)
      acknowledged.push_back(told.back());
    return outcome;
  }

  result<scan_result> scan(scan_options options = {}) {
    seen.clear();
    return scan_journal(
      disk, config, options, [&](const block_view& view, block_place place) {
        entry_cursor entries{view};
        const auto entry = entries.next();
        REQUIRE(entry);
        const auto text = std::to_string(raw(view.stream)) + "/"
                          + std::to_string(raw(view.first)) + ": "
                          + std::string{as_text(entry->payload)};
        seen.push_back({text, place});
      });
  }

  /// Recovers and goes on, as an opening does.
  scan_result open(scan_options options = {}) {
    const auto scanned = scan(options);
    REQUIRE_MESSAGE(scanned, scanned.error().context);
    ++config.incarnation;
    log = std::make_unique<journal>(disk, config, scanned->end);
    return *scanned;
  }

  void cut_power(unsynced fate = unsynced::by_chance) {
    disk.crash(fate);
    disk.restart();
  }

  [[nodiscard]] std::vector<std::string> texts() const {
    std::vector<std::string> all;
    for (const auto& one : seen)
      all.push_back(one.text);
    return all;
  }

  [[nodiscard]] std::string path(std::uint32_t number) const {
    return journal_file_path(config, number);
  }

  [[nodiscard]] std::uint64_t size(std::uint32_t number) {
    const auto opened = disk.open(path(number), open_mode::read);
    REQUIRE(opened);
    return (*opened)->size().value();
  }

  [[nodiscard]] std::vector<std::byte> bytes(std::uint32_t number) {
    const auto opened = disk.open(path(number), open_mode::read);
    REQUIRE(opened);
    std::vector<std::byte> all((*opened)->size().value());
    REQUIRE((*opened)->read(0, all).value() == all.size());
    return all;
  }

  /// Overwrites bytes at rest.
  void put(std::uint32_t number, std::uint64_t offset, bytes_view bytes) {
    const auto opened = disk.open(path(number), open_mode::write);
    REQUIRE(opened);
    REQUIRE((*opened)->write(offset, bytes));
    REQUIRE((*opened)->sync());
  }

  simulated_disk disk;
  journal_config config;
  std::unique_ptr<journal> log;
  std::map<std::uint64_t, std::uint64_t> next; ///< Sequences by stream.
  std::vector<std::unique_ptr<std::vector<std::byte>>> kept;
  std::vector<std::string> told;         ///< Every block that was built.
  std::vector<std::string> acknowledged; ///< Every durable one.
  std::vector<told_block> seen;          ///< By the last scan.
};

} // namespace torpor::test
