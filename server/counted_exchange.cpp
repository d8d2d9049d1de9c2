// SPDX-License-Identifier: Apache-2.0
#include "server/counted_exchange.hpp"

#include "runtime/stream_name.hpp"
#include "server/http_error.hpp"
#include "server/io_loop.hpp"
#include "server/stream_path.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace torpor {

using boost::beast::http::verb;

counted_exchange::counted_exchange(http_exchange& inner, http_counts& counts,
                                   kind what)
  : inner_(inner),
    counts_(counts),
    begun_(std::chrono::steady_clock::now()),
    method_(inner.request().method()),
    kind_(what) {
  if (kind_.live)
    counts_.live_begun.add();
  if (spdlog::should_log(spdlog::level::debug))
    path_ = path_of(target_of(inner.request()));
}

counted_exchange::~counted_exchange() {
  if (kind_.live)
    counts_.live_ended.add();
}

void counted_exchange::charge_to(rate_limiter& limiter, std::string tenant) {
  limiter_ = &limiter;
  tenant_ = std::move(tenant);
}

void counted_exchange::respond(http_response answer) {
  count(answer);
  if (method_ != verb::head)
    count_sent(text_of(answer).size());
  auto& inner = inner_;
  delete this; // The connection may begin with its next request.
  inner.respond(std::move(answer));
}

void counted_exchange::begin(http_response head) {
  count(head);
  inner_.begin(std::move(head));
}

void counted_exchange::write(shared_text part, std::string_view tail) {
  count_sent(part->size() + tail.size());
  inner_.write(std::move(part), tail);
}

void counted_exchange::end() {
  auto& inner = inner_;
  delete this;
  inner.end();
}

/// Without this call the exchange lives until it is answered, as the inner one.
void counted_exchange::on_abort(answer_wait wait, std::function<void()> then) {
  aborted_ = std::move(then);
  inner_.on_abort(wait, [this] {
    const auto last = std::move(aborted_);
    delete this;
    last();
  });
}

void counted_exchange::count(const http_response& answer) {
  const auto took = std::chrono::steady_clock::now() - begun_;
  const auto ns = static_cast<std::uint64_t>(took.count());
  const auto code = answer.result_int();
  counts_.request(method_, code);
  if (code >= 400)
    if (const auto name = error_code_of(answer); !name.empty())
      counts_.error(name);
  reads_ = kind_.stream && method_ == verb::get && code < 400;
  const auto writes = kind_.stream && code < 300
                      && (method_ == verb::post || method_ == verb::put);
  const auto heads = kind_.stream && method_ == verb::head && code < 400;
  if (writes)
    counts_.writes.record(ns);
  else if ((reads_ || heads) && !kind_.live)
    counts_.reads.record(ns);
  if (!path_.empty())
    log(code, took);
}

void counted_exchange::count_sent(std::size_t bytes) {
  if (reads_)
    counts_.bytes_read.add(bytes);
  if (limiter_ != nullptr)
    limiter_->charge(tenant_, bytes, inner_.loop().now_ms());
}

/// Without the query, which tells of positions, and without any header.
void counted_exchange::log(unsigned status,
                           std::chrono::nanoseconds took) const {
  spdlog::debug("http-request method={} path=\"{}\" status={} us={} peer={}",
                counted_methods[method_index(method_)], printable(path_),
                status, took.count() / 1000, inner_.peer());
}

} // namespace torpor
