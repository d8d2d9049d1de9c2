// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/http_client.hpp"
#include "tests/daemon/client_notes.hpp"

#include <cstdint>
#include <random>
#include <string>

namespace torpor::test {

/// Reads in one way, and notes what it saw: all of that must be there for good.
/// Threads: one owner at a time.
class reading_client {
public:
  enum class way : std::uint8_t {
    catch_up,  ///< Pages of any stream, from anywhere.
    long_poll, ///< Follows one.
    events,    ///< The same by SSE.
  };

  /// `followed`: what the last two follow.
  reading_client(way how, std::uint64_t seed, client_notes& notes,
                 client_notes::known_stream followed)
    : how_(how),
      random_(seed),
      notes_(notes),
      followed_(std::move(followed)) {}

  /// Reads until the daemon is gone, or something is wrong.
  void read(const daemon_place& place);

private:
  [[nodiscard]] bool read_anything(http_client& from);
  [[nodiscard]] bool follow(http_client& from);
  void follow_events(const daemon_place& place);
  void note_events(const std::string& text);

  way how_;
  std::mt19937_64 random_;
  client_notes& notes_;
  client_notes::known_stream followed_;
  sequence next_{}; ///< Of what is followed.
};

} // namespace torpor::test
