// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/daemon/daemon_store.hpp"
#include "tests/engine/history.hpp"
#include "tests/system/request_log.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace torpor::test {

/// What all clients of a daemon know together: each request before it is sent,
/// each answer, each page that was read. They also stand in a file, for people.
/// Threads: any; guarded by mutex_.
class client_notes {
public:
  explicit client_notes(const std::string& log) : log_(log) {}

  /// A stream and the name it goes by. Names that come back have other ids.
  struct known_stream {
    std::string name;
    stream_id id{};
  };

  /// Notes a request and returns its tag, which `payloads` may want to name.
  std::uint64_t
  sent(const std::function<history::write_request(std::uint64_t)>& make);
  /// It is sent once more.
  void again(std::uint64_t tag);
  void succeeded(std::uint64_t tag, stream_id stream, sequence first = {});
  void refused(std::uint64_t tag, errc code);
  /// A fork is going to be made, under a name of its own.
  void forking(const std::string& fork, stream_id source);

  /// Something is not as it was promised. Only the first counts.
  void wrong(const std::string& what);
  [[nodiscard]] std::string first_wrong() const;
  [[nodiscard]] std::uint64_t requests() const;

  /// Checks and notes what a reader got who asked when there were so many
  /// requests.
  void read(const std::string& name, const read_options& asked,
            const result<read_page>& page, std::uint64_t sent_before);
  void saw(const known_stream& stream, sequence at, const std::string& payload);
  /// A stream that is no fork and, as far as is known, not deleted; nullopt:
  /// there is none. `choice` chooses.
  [[nodiscard]] std::optional<known_stream> any_stream(std::size_t choice) const;
  /// Whether who asks for that entry now may not be told that it is not there.
  [[nodiscard]] bool promises(const known_stream& stream, sequence at) const;

  /// The daemon was killed.
  void killed();
  /// It has stopped as it should: what was buffered is durable.
  void stopped();
  /// Holds all that is there against the notes while nobody else works.
  void inspect(daemon_store& store);

private:
  mutable std::mutex mutex_;
  history history_;
  request_log log_;
  std::map<stream_id, std::string> alive_; ///< Without forks.
  std::map<std::string, stream_id> forks_; ///< Sources, also of deleted ones.
  std::string wrong_;
};

} // namespace torpor::test
