// SPDX-License-Identifier: Apache-2.0
#include "cli/http_load_worker.hpp"

#include "cli/answer_head.hpp"
#include "cli/process_stats.hpp"
#include "cli/seconds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include <sys/epoll.h>
#include <unistd.h>

namespace torpor {

namespace {

constexpr std::int64_t ms = 1'000'000; // ns

/// A server that is full, or that is not there, gets time.
constexpr auto full_pause = 2 * ms;
constexpr auto cut_pause = 50 * ms;
/// Without any answer for so long a load gives up.
constexpr auto patience = 60'000 * ms;

} // namespace

std::int64_t load_clock_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
           steady::now().time_since_epoch())
    .count();
}

http_load_worker::http_load_worker(http_load_state& all, std::uint32_t index,
                                   std::unique_ptr<http_load_source> source)
  : all_(all), index_(index), source_(std::move(source)),
    epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  const auto step = all.how.threads;
  connections_ = std::vector<connection>(
    (all.how.connections - index + step - 1) / step);
  for (std::uint32_t i = 0; i < connections_.size(); ++i)
    connections_[i].number = index + i * step;
  busy_ = static_cast<std::uint32_t>(connections_.size());
  thread_ = std::thread{[this] { run(); }};
}

http_load_worker::~http_load_worker() {
  if (thread_.joinable())
    thread_.join();
  if (epoll_ >= 0)
    ::close(epoll_);
}

void http_load_worker::run() {
  if (epoll_ < 0)
    fail_with(fail_io("epoll_create1", "", errno).value());
  last_answer_ = load_clock_ns();
  for (auto& each : connections_)
    begin(each);
  std::array<epoll_event, 256> ready;
  while (busy_ > 0 && !all_.abandoned.load(std::memory_order_relaxed)) {
    const int wait_ms = paused_.empty() ? 100 : 1;
    const auto count = ::epoll_wait(epoll_, ready.data(),
                                    static_cast<int>(ready.size()), wait_ms);
    for (int i = 0; i < count; ++i)
      on_ready(connections_[ready[i].data.u32], ready[i].events);
    resume_paused();
    give_up_late();
  }
  connections_.clear();
  busy_ = 0;
  cpu_ns = thread_cpu_ns();
}

void http_load_worker::begin(connection& of) {
  if (all_.stopping.load(std::memory_order_relaxed)
      || !source_->next(of.number, of.request))
    return rest(of);
  of.began = load_clock_ns();
  attempt(of);
}

void http_load_worker::attempt(connection& of) {
  of.sent = of.received = of.head = 0;
  if (of.socket.open()) {
    of.doing = state::sending;
    return push(of);
  }
  of.doing = state::connecting;
  if (of.socket.connect(all_.how.address) == 0 || errno == EINPROGRESS)
    return watch(of, true, true);
  // A Unix socket says EAGAIN while its queue of connections is full.
  const auto code = errno;
  of.socket.close();
  return code == EAGAIN ? pause(of, full_pause) : cut(of, code);
}

void http_load_worker::watch(connection& of, bool writable, bool fresh) {
  if (!fresh && of.writable_wanted == writable)
    return;
  of.writable_wanted = writable;
  epoll_event event{};
  event.events = EPOLLIN | (writable ? std::uint32_t{EPOLLOUT} : 0);
  event.data.u32 = static_cast<std::uint32_t>(&of - connections_.data());
  if (::epoll_ctl(epoll_, fresh ? EPOLL_CTL_ADD : EPOLL_CTL_MOD,
                  of.socket.number(), &event)
      != 0)
    fail_with(fail_io("epoll_ctl", all_.how.url, errno).value());
}

void http_load_worker::on_ready(connection& of, std::uint32_t events) {
  switch (of.doing) {
    case state::idle:
      return;
    case state::paused: // The server cannot say anything but goodbye.
      return of.socket.close();
    case state::connecting:
      if (const auto code = of.socket.connect_error(); code != 0)
        return cut(of, code);
      of.doing = state::sending;
      return push(of);
    case state::sending:
      // An answer may come before all was sent, such as "too large".
      return (events & EPOLLIN) != 0 ? pull(of) : push(of);
    case state::waiting:
      return pull(of);
  }
}

void http_load_worker::push(connection& of) {
  const auto all = of.request.head.size() + of.request.body.size();
  while (of.sent < all) {
    const auto taken = of.socket.send(of.request.head, of.request.body,
                                      of.sent);
    if (taken < 0 && errno == EAGAIN)
      return watch(of, true);
    if (taken < 0 && errno != EINTR)
      return cut(of, errno);
    if (taken > 0)
      of.sent += static_cast<std::size_t>(taken);
  }
  of.doing = state::waiting;
  watch(of, false);
}

void http_load_worker::pull(connection& of) {
  // What is beyond the buffer of a long body is only counted.
  thread_local std::array<char, 64u << 10> dropped;
  const auto room = std::span{of.buffer}.subspan(of.received);
  const auto got = of.socket.receive(
    of.head > 0 && room.empty() ? std::span<char>{dropped} : room);
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (got <= 0)
    return cut(of, got == 0 ? ECONNRESET : errno);
  const auto bytes = static_cast<std::size_t>(got);
  if (of.head > 0) {
    if (!room.empty())
      of.received += bytes;
    of.missing -= std::min<std::uint64_t>(bytes, of.missing);
  } else {
    of.received += bytes;
    if (!take_head(of))
      return;
  }
  if (of.missing == 0)
    complete(of);
}

bool http_load_worker::take_head(connection& of) {
  const std::string_view text{of.buffer.data(), of.received};
  const auto head = read_answer_head(text);
  if (!head) {
    fail_with(head.error());
    return false;
  }
  if (!*head) {
    if (of.received == of.buffer.size())
      fail_with({errc::too_large, "an answer's head has more than 4096 bytes"});
    return false;
  }
  const auto& found = **head;
  const auto empty = found.status == 204 || found.status == 304
                     || found.status < 200;
  if (!empty && !found.has_length) {
    fail_with({errc::invalid_argument,
               "an answer has no Content-Length; the load generator needs it"});
    return false;
  }
  of.head = found.bytes;
  of.status = found.status;
  of.closes = found.closes;
  of.body = empty ? 0 : found.body;
  of.missing = of.body
               - std::min<std::uint64_t>(of.received - of.head, of.body);
  return true;
}

void http_load_worker::complete(connection& of) {
  const auto now = load_clock_ns();
  if (of.status < 400)
    last_answer_ = now;
  const auto text = std::string_view{of.buffer.data(), of.received};
  const http_load_answer answer{of.status, text.substr(0, of.head),
                                text.substr(of.head), of.body};
  const auto measured = now >= all_.measure_from.load(std::memory_order_relaxed)
                        && now < all_.measure_to.load(std::memory_order_relaxed);
  if (of.status < 400)
    answered_.store(answered_.load(std::memory_order_relaxed) + 1,
                    std::memory_order_relaxed);
  if (measured) {
    ++statuses[of.status % statuses.size()];
    if (of.status < 400)
      latencies.record(static_cast<std::uint64_t>(now - of.began));
  }
  // Not all of the request went out: what follows would be taken for its rest.
  if (of.closes || of.doing == state::sending)
    of.socket.close();
  settle(of, answer);
}

void http_load_worker::settle(connection& of, const http_load_answer& answer) {
  const auto verdict = source_->answered(of.number, answer);
  if (!verdict)
    return fail_with(verdict.error());
  if (*verdict == http_load_source::verdict::done)
    return begin(of);
  // What has to arrive is tried on, even when the load is to end.
  if (all_.stopping.load(std::memory_order_relaxed) && !all_.how.retries)
    return rest(of);
  pause(of, full_pause);
}

void http_load_worker::cut(connection& of, int code) {
  of.socket.close();
  ++cuts;
  if (all_.how.retries)
    return pause(of, cut_pause);
  fail_with({errc::io_failed,
             fail_io("talk to", all_.how.url, code).value().context
               + "; --retry goes on when the server is back"});
}

void http_load_worker::pause(connection& of, std::int64_t ns) {
  of.doing = state::paused;
  of.resume = load_clock_ns() + ns;
  paused_.push_back(static_cast<std::uint32_t>(&of - connections_.data()));
}

void http_load_worker::rest(connection& of) {
  of.doing = state::idle;
  of.socket.close();
  --busy_;
}

void http_load_worker::resume_paused() {
  if (paused_.empty())
    return;
  const auto now = load_clock_ns();
  auto due = std::move(paused_);
  paused_.clear();
  for (const auto index : due)
    if (connections_[index].resume <= now)
      attempt(connections_[index]);
    else
      paused_.push_back(index);
}

void http_load_worker::give_up_late() {
  if (load_clock_ns() - last_answer_ > patience)
    fail_with({errc::io_failed,
               fmt::format("'{}' has taken nothing for a minute",
                           all_.how.url)});
}

void http_load_worker::fail_with(error why) {
  if (!failure)
    failure = std::move(why);
  all_.abandoned = true;
}

} // namespace torpor
