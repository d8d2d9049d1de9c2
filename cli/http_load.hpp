// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/latency_histogram.hpp"
#include "cli/load_socket.hpp"
#include "torpor/error.hpp"

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace torpor {

/// One request as it travels.
struct http_load_request {
  std::string head;      ///< With the empty line; its memory is used again.
  std::string_view body; ///< Stays until the answer.
};

/// Views that hold during the call that brings them.
struct http_load_answer {
  unsigned status = 0;
  std::string_view head;
  std::string_view text;    ///< The beginning of the body.
  std::uint64_t bytes = 0;  ///< Of the body.
};

/// What connections ask for. Each thread of a load has its own.
/// Threads: that of the load.
class http_load_source {
public:
  enum class verdict {
    done,  ///< The connection is free for the next.
    again, ///< The same once more, a little later.
  };

  virtual ~http_load_source() = default;
  /// The next request of a connection, counted over all threads; false when it
  /// has no more.
  virtual bool next(std::uint32_t connection, http_load_request& into) = 0;
  /// An error ends the load.
  virtual result<verdict> answered(std::uint32_t connection,
                                   const http_load_answer& answer) = 0;
};

struct http_load_options {
  std::string url;      ///< For messages.
  load_address address; ///< Of the server; it need not be there all the time.
  std::uint32_t connections = 256;
  std::uint32_t threads = 1; ///< 1 to `connections`.
  /// A request that was cut off is sent again, for a minute: it has to be one
  /// that can be. Otherwise that ends the load.
  bool retries = false;
};

struct http_load_state;
class http_load_worker;

/// Keeps connections to an HTTP server busy: each has one request without an
/// answer at any time. Costs the client little: a thread serves many
/// connections with two calls of the system per request.
/// Threads: one owner; `answered`, `finished` any.
class http_load {
public:
  /// `sources`: one per thread; connection i belongs to thread i % threads.
  http_load(http_load_options how,
            std::vector<std::unique_ptr<http_load_source>> sources);
  ~http_load();

  /// Answers from now on are measured.
  void measure();
  /// No connection has anything left to do, or the load failed.
  [[nodiscard]] bool finished() const;
  /// Ends the measurement, then the load; returns when all is answered.
  void stop();
  /// The same, but does not wait for answers.
  void abandon();

  /// Answers below 400 since the start.
  [[nodiscard]] std::uint64_t answered() const;

  // -- after `stop` ----------------------------------------------------------

  /// Measured time, s.
  [[nodiscard]] double seconds() const;
  /// Of answers below 400 in that time.
  [[nodiscard]] latency_histogram latencies() const;
  /// How often each status came in that time.
  [[nodiscard]] std::map<unsigned, std::uint64_t> statuses() const;
  /// Connections that were cut off since the start, with a request under way.
  [[nodiscard]] std::uint64_t cuts() const;
  /// CPU time of the threads in all, ns.
  [[nodiscard]] std::uint64_t cpu_ns() const;
  /// What ended the load early, if anything.
  [[nodiscard]] std::optional<error> failure() const;

private:
  void join();

  std::unique_ptr<http_load_state> state_;
  std::vector<std::unique_ptr<http_load_worker>> workers_;
};

} // namespace torpor
