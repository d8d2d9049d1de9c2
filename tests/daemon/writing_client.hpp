// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/http_client.hpp"
#include "tests/daemon/client_notes.hpp"
#include "tests/daemon/open_request.hpp"
#include "tests/daemon/written_stream.hpp"

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace torpor::test {

/// Random requests to streams of its own, and appends to those that all clients
/// share, one after another on one connection. What a killed daemon did not
/// answer is sent again to the next one, as far as that can be proved to be the
/// same: by its producer's number, its Stream-Seq or the offset it expected.
/// Threads: one owner at a time.
class writing_client {
public:
  /// `shared`: streams that are there.
  writing_client(unsigned number, std::uint64_t seed, client_notes& notes,
                 const std::vector<client_notes::known_stream>& shared);

  /// Works until the daemon is gone, or something is wrong.
  void work(const daemon_place& place);

private:
  /// How an append is known when it is sent again.
  enum class proof : std::uint8_t { none, producer, order, place };

  /// An append in the making.
  struct addition {
    written_stream& to;
    proof how{};
    bool closes = false;
    bool buffered = false;
    std::uint64_t tag = 0;
    std::size_t count = 0; ///< Entries.
    sequence expected{};   ///< For a proof by its place.
  };

  [[nodiscard]] std::uint64_t pick(std::uint64_t below) {
    return random_() % below;
  }
  [[nodiscard]] bool chance(unsigned percent) { return pick(100) < percent; }

  [[nodiscard]] bool begin_life();
  [[nodiscard]] bool step();
  /// Sends what is open until it is settled, and what follows from it. False
  /// when the daemon did not answer, or wrongly.
  [[nodiscard]] bool send();
  void refuse(const open_request& sent, const http_answer& answer);
  [[nodiscard]] open_request& begin(http_method method, const std::string& stream);

  // -- streams (writing_client_streams.cpp) ----------------------------------

  [[nodiscard]] bool create(written_stream& made);
  [[nodiscard]] bool fork(written_stream& made);
  void learn(written_stream& made, std::vector<std::uint64_t> tags,
             sequence begins);
  [[nodiscard]] bool close(written_stream& ended);
  [[nodiscard]] bool remove(written_stream& gone);
  [[nodiscard]] bool ask_end(written_stream& of);

  // -- entries (writing_client_entries.cpp) ----------------------------------

  [[nodiscard]] bool append(written_stream& to);
  [[nodiscard]] bool append_to_closed(written_stream& to);
  [[nodiscard]] bool repeat_last();
  [[nodiscard]] bool append_as_fenced(written_stream& to);
  [[nodiscard]] std::vector<std::string> payloads(std::uint64_t tag);
  void fill(open_request& sent, const std::vector<std::string>& payloads);
  void add_proof(open_request& sent, addition& added);
  [[nodiscard]] bool settle(const addition& added, const http_answer& answer,
                            bool again);
  [[nodiscard]] bool settle_refused(const addition& added,
                                    const http_answer& answer);
  void settle_at(const addition& added, sequence next);

  unsigned number_;
  std::mt19937_64 random_;
  client_notes& notes_;
  std::vector<written_stream> streams_;
  std::optional<http_client> client_; ///< To the daemon's present life.
  std::optional<open_request> open_;
  std::optional<open_request> last_; ///< The last answered one of a producer.
  std::string last_end_; ///< Where that ended, as it was told.
  unsigned names_ = 0;
};

} // namespace torpor::test
