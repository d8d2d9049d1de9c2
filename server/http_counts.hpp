// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/shared_histogram.hpp"

#include <boost/beast/http/verb.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace torpor {

/// What kinds of requests are told apart.
inline constexpr std::array<std::string_view, 7> counted_methods{
  "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "other"};
/// Statuses by their first digit: 1xx to 5xx.
inline constexpr std::size_t status_classes = 5;

/// The place of a method in `counted_methods`.
[[nodiscard]] std::size_t
method_index(boost::beast::http::verb method) noexcept;

/// What has been counted of all requests. Threads: one owner.
struct http_totals {
  std::array<std::array<std::uint64_t, status_classes>, counted_methods.size()>
    requests{};
  std::map<std::string, std::uint64_t> errors; ///< Answers by their code.
  std::uint64_t bytes_read = 0;   ///< Bodies of what streams answered to GET.
  std::uint64_t live_readers = 0; ///< That follow a stream, now.
  histogram_counts writes;        ///< Until POST and PUT were answered with 2xx.
  histogram_counts reads;         ///< Until GET and HEAD were, but for live ones.

  /// Of all methods, with that first digit.
  [[nodiscard]] std::uint64_t of_class(std::size_t digit) const noexcept;
};

/// What one loop counts of its requests: no request waits for a lock but one
/// that fails. Threads: the loop's own, `add_to` any; errors guarded by mutex_.
class http_counts {
public:
  void request(boost::beast::http::verb method, unsigned status) noexcept;
  void error(std::string_view code);
  void add_to(http_totals& sum) const;

  shared_count bytes_read;
  shared_count live_begun;
  shared_count live_ended;
  shared_histogram writes;
  shared_histogram reads;

private:
  std::array<std::array<shared_count, status_classes>, counted_methods.size()>
    requests_;
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t, std::less<>> errors_;
};

/// The counts of all loops. Threads: any; guarded by mutex_.
class http_metrics {
public:
  /// Counts for one more loop; live as long as this.
  [[nodiscard]] http_counts& add_loop();

  [[nodiscard]] http_totals total() const;

private:
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<http_counts>> loops_;
};

} // namespace torpor
