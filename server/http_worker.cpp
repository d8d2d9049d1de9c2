// SPDX-License-Identifier: Apache-2.0
#include "server/http_worker.hpp"

#include "server/http_connection.hpp"

#include <tuple>
#include <utility>

namespace torpor {

namespace {

/// Adds to a counter that one thread writes.
void count(std::atomic<std::uint64_t>& into, std::size_t more) {
  into.store(into.load(std::memory_order_relaxed) + more,
             std::memory_order_relaxed);
}

} // namespace

http_worker::http_worker(http_shared& shared, io_loop& loop,
                         std::unique_ptr<http_handler> handler)
  : shared_(shared),
    loop_(loop),
    handler_(std::move(handler)) {}

http_worker::~http_worker() = default;

void http_worker::adopt(int socket, bool secured) {
  auto& added = connections_.emplace_back(std::make_unique<http_connection>(
    *this, socket, secured ? shared_.tls.get() : nullptr));
  added->place = connections_.size() - 1;
  added->start();
  if (stopping_)
    added->wind_down(true);
}

void http_worker::remove(http_connection& gone) {
  const auto place = gone.place;
  connections_.back()->place = place;
  std::swap(connections_[place], connections_.back());
  connections_.pop_back();
  shared_.connections.fetch_sub(1, std::memory_order_relaxed);
  if (stopping_ && connections_.empty())
    loop_.stop();
}

void http_worker::stop() {
  stopping_ = true;
  if (connections_.empty())
    return loop_.stop();
  wind_down(false);
  const auto grace = static_cast<std::uint64_t>(
    options().stop_timeout.count());
  std::ignore = loop_.call_at(loop_.now_ms() + grace, [this] {
    wind_down(true);
    // What is left then is exchanges that nobody answered. First come the
    // aborts, then those that they end.
    loop_.at_end_of_round(
      [this] { loop_.at_end_of_round([this] { loop_.stop(); }); });
  });
}

void http_worker::wind_down(bool hard) {
  for (const auto& each : connections_)
    each->wind_down(hard);
}

std::string& http_worker::output() {
  constexpr std::size_t kept_bytes_max = 256u << 10;
  if (output_.capacity() > kept_bytes_max)
    std::string{}.swap(output_);
  output_.clear();
  return output_;
}

void http_worker::count_received(std::size_t bytes) {
  count(received_, bytes);
}

void http_worker::count_sent(std::size_t bytes) {
  count(sent_, bytes);
}

http_traffic http_worker::traffic() const {
  return {received_.load(std::memory_order_relaxed),
          sent_.load(std::memory_order_relaxed)};
}

} // namespace torpor
