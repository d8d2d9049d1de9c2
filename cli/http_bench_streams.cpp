// SPDX-License-Identifier: Apache-2.0
#include "cli/http_bench_streams.hpp"

#include "cli/http_failure.hpp"
#include "cli/answer_head.hpp"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace torpor {

namespace {

constexpr std::string_view next_offset = "Stream-Next-Offset";

using verdict = http_load_source::verdict;

/// "POST /v1/stream/bench/0000123 HTTP/1.1" and what all requests have.
void begin_head(std::string& into, const http_bench_streams& all,
                std::string_view method, std::uint64_t stream,
                std::string_view query = {}) {
  into.clear();
  fmt::format_to(std::back_inserter(into),
                 "{} {}/v1/stream/bench/{:07}{} HTTP/1.1\r\n{}", method,
                 all.url.base, stream, query, all.common);
}

tl::unexpected<error> refused(std::string_view method, std::uint64_t stream,
                              const http_load_answer& answer) {
  return tl::unexpected{
    http_failure(fmt::format("{} of stream 'bench/{:07}'", method, stream),
                 answer.status, answer.text)};
}

/// Goes through the streams of each connection once.
class sweep : public http_load_source {
public:
  explicit sweep(http_bench_streams& all)
    : all_(all), done_(all.connections) {}

protected:
  [[nodiscard]] bool ended(std::uint32_t connection) const {
    return done_[connection] == all_.share(connection);
  }
  [[nodiscard]] std::uint64_t current(std::uint32_t connection) const {
    return all_.pick(connection, done_[connection]);
  }
  verdict advance(std::uint32_t connection) {
    ++done_[connection];
    return verdict::done;
  }

  http_bench_streams& all_;

private:
  std::vector<std::uint64_t> done_; ///< Streams by connection.
};

class stream_maker final : public sweep {
public:
  using sweep::sweep;

  bool next(std::uint32_t connection, http_load_request& into) override {
    if (ended(connection))
      return false;
    begin_head(into.head, all_, "PUT", current(connection));
    into.head += "Content-Type: application/octet-stream\r\n"
                 "Content-Length: 0\r\n\r\n";
    return true;
  }

  result<verdict> answered(std::uint32_t connection,
                           const http_load_answer& answer) override {
    if (asks_for_patience(answer.status))
      return verdict::again;
    const auto stream = current(connection);
    if (answer.status >= 300)
      return refused("PUT", stream, answer);
    all_.streams[stream].begin = answer_header(answer.head, next_offset);
    return advance(connection);
  }
};

class appends final : public http_load_source {
public:
  appends(http_bench_streams& all, const http_append_options& how,
          const std::string& pool)
    : all_(all), how_(how), pool_(pool), random_(how.seed),
      current_(all.connections) {}

  bool next(std::uint32_t connection, http_load_request& into) override {
    const auto stream = all_.pick(connection,
                                  random_.below(all_.share(connection)));
    current_[connection] = stream;
    begin_head(into.head, all_, "POST", stream);
    if (how_.epoch > 0)
      fmt::format_to(std::back_inserter(into.head),
                     "Producer-Id: torpor-bench\r\nProducer-Epoch: {}\r\n"
                     "Producer-Seq: {}\r\n",
                     how_.epoch, all_.streams[stream].acked);
    fmt::format_to(std::back_inserter(into.head),
                   "Content-Type: application/octet-stream\r\n"
                   "Content-Length: {}\r\n\r\n",
                   how_.entry_bytes);
    const auto from = random_.below(pool_.size() - how_.entry_bytes + 1);
    into.body = std::string_view{pool_}.substr(from, how_.entry_bytes);
    return true;
  }

  result<verdict> answered(std::uint32_t connection,
                           const http_load_answer& answer) override {
    if (asks_for_patience(answer.status))
      return verdict::again;
    const auto stream = current_[connection];
    if (answer.status >= 300)
      return refused("POST", stream, answer);
    ++all_.streams[stream].acked;
    return verdict::done;
  }

private:
  http_bench_streams& all_;
  http_append_options how_;
  const std::string& pool_;
  quick_random random_;
  std::vector<std::uint64_t> current_; ///< Stream by connection.
};

class read_back final : public sweep {
public:
  explicit read_back(http_bench_streams& all)
    : sweep(all), offsets_(all.connections) {}

  bool next(std::uint32_t connection, http_load_request& into) override {
    if (ended(connection))
      return false;
    const auto stream = current(connection);
    auto& offset = offsets_[connection];
    if (offset.empty())
      offset = all_.streams[stream].begin;
    begin_head(into.head, all_, "GET", stream,
               "?offset=" + percent_encoded(offset, false));
    into.head += "\r\n";
    return true;
  }

  result<verdict> answered(std::uint32_t connection,
                           const http_load_answer& answer) override {
    if (asks_for_patience(answer.status))
      return verdict::again;
    const auto stream = current(connection);
    if (answer.status != 200)
      return refused("GET", stream, answer);
    all_.streams[stream].found += answer.bytes;
    auto& offset = offsets_[connection];
    if (answer_header(answer.head, "Stream-Up-To-Date") == "true") {
      offset.clear();
      return advance(connection);
    }
    offset = answer_header(answer.head, next_offset);
    return verdict::done;
  }

private:
  std::vector<std::string> offsets_; ///< By connection; empty: at the begin.
};

} // namespace

http_bench_streams::http_bench_streams(http_url to, const std::string& token,
                                       std::uint64_t count,
                                       std::uint32_t writers)
  : url(std::move(to)),
    common(fmt::format("Host: {}\r\n", url.authority())), connections(writers),
    streams(count) {
  if (!token.empty())
    common += fmt::format("Authorization: Bearer {}\r\n", token);
}

std::unique_ptr<http_load_source> http_stream_maker(http_bench_streams& all) {
  return std::make_unique<stream_maker>(all);
}

std::unique_ptr<http_load_source> http_appends(http_bench_streams& all,
                                               const http_append_options& how,
                                               const std::string& pool) {
  return std::make_unique<appends>(all, how, pool);
}

std::unique_ptr<http_load_source> http_read_back(http_bench_streams& all) {
  return std::make_unique<read_back>(all);
}

} // namespace torpor
