// SPDX-License-Identifier: Apache-2.0
// Whole requests, answered by the router, the protocol and the pages about the
// server, with a store in memory behind them. Input: a byte of flags, a byte
// that says which writes fail, then the bytes of a connection.
#include "server/http_router.hpp"

#include "cli/answer_head.hpp"
#include "cli/http_url.hpp"
#include "runtime/assert.hpp"
#include "server/durable_streams.hpp"
#include "server/http_head.hpp"
#include "server/request_reader.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/model_store.hpp"
#include "tests/fuzz/recorded_exchange.hpp"
#include "tests/support/fake_store.hpp"
#include "tests/support/manual_clock.hpp"

#include <spdlog/spdlog.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

using namespace torpor;
using namespace torpor::test;
namespace http = boost::beast::http;

namespace {

enum : std::uint8_t { tokens_flag = 1, rates_flag = 2, bodies_flag = 4 };

/// Token "t" may do much below "a" and read all.
access_control make_tokens() {
  const auto hash = to_text(sha256("t"));
  return {"tokens",
          access_list::parse("append,read,admin a " + hash + "\nread * " + hash
                             + "\n")
            .value()};
}

/// The head of an answer as it would be sent: one head, of that status.
void check(const http_response& answer, bool faulty) {
  const auto status = answer.result_int();
  TORPOR_ASSERT(status >= 200 && status < 600);
  TORPOR_ASSERT(status < 500 || status == 501 || (faulty && status == 503));
  std::string text;
  append_head(text, answer, {}, "Thu, 01 Jan 1970 00:00:00 GMT");
  const auto head = read_answer_head(text);
  TORPOR_ASSERT(head && *head);
  TORPOR_ASSERT((*head)->bytes == text.size() && (*head)->status == status);
  for (std::size_t i = 0; i < text.size(); ++i) {
    TORPOR_ASSERT(text[i] != '\0');
    TORPOR_ASSERT(text[i] != '\n' || text[i - 1] == '\r');
    TORPOR_ASSERT(text[i] != '\r' || text[i + 1] == '\n');
  }
}

/// A loop with all that answers on it.
class door {
public:
  explicit door(std::uint8_t flags)
    : control_{make_tokens()},
      shared_{(flags & tokens_flag) != 0 ? &control_ : nullptr,
              rate_limiter{(flags & rates_flag) != 0 ? rate_limits{5, 500}
                                                     : rate_limits{}},
              metrics_, status_},
      asks_for_bodies_{(flags & bodies_flag) != 0} {
    auto store = std::make_unique<model_store>(loop_);
    streams = store.get();
    router_.emplace(shared_, std::make_unique<durable_streams>(
                               loop_, std::move(store), stream_options{}));
  }

  recorded_exchange& ask(http_request request) {
    auto& asked = *exchanges_.emplace_back(
      std::make_unique<recorded_exchange>(loop_, std::move(request)));
    if (!asks_for_bodies_ || router_->wants_body(asked))
      router_->handle(asked);
    go_round();
    return asked;
  }

  /// Time passes until nobody waits any more.
  void finish(bool faulty) {
    for (int i = 0; i < 4; ++i) {
      time_.monotonic += 30'000;
      time_.wall += 30'000;
      loop_.call_due();
      go_round();
    }
    for (const auto& each : exchanges_) {
      TORPOR_ASSERT(each->over());
      TORPOR_ASSERT(each->head().has_value());
      check(*each->head(), faulty);
    }
  }

  /// A plain stream is read as it was written.
  void check_streams() {
    for (const auto& [name, stream] : streams->streams()) {
      std::string wanted;
      for (const auto& entry : stream.entries)
        wanted += entry;
      if (stream.info.content_type != "application/octet-stream"
          || wanted.empty())
        continue;
      http_request request;
      request.method(http::verb::get);
      request.target("/v1/stream/" + percent_encoded(name) + "?offset=-1");
      request.set(http::field::authorization, "Bearer t");
      const auto& asked = ask(std::move(request));
      TORPOR_ASSERT(asked.over() && asked.head()->result_int() == 200);
      TORPOR_ASSERT(asked.body() == wanted);
    }
  }

  model_store* streams; ///< Of the router.

private:
  void go_round() {
    loop_.context().restart();
    loop_.context().poll();
  }

  manual_clock time_;
  io_loop loop_{time_};
  fake_store pages_;
  http_metrics metrics_;
  server_status status_{pages_, metrics_};
  access_control control_;
  http_door shared_;
  bool asks_for_bodies_;
  std::optional<http_router> router_;
  std::vector<std::unique_ptr<recorded_exchange>> exchanges_;
};

constexpr std::array failures{errc{},          errc{},
                              errc::overloaded, errc{},
                              errc::fenced,     errc::conflict,
                              errc::io_failed,  errc::shut_down};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  spdlog::set_level(spdlog::level::off);
  fuzz_input input{data, size};
  const auto flags = input.u8();
  std::uint32_t faults = input.u8();
  const auto faulty = faults != 0;
  const auto bytes = input.rest();
  const request_limits limits;
  request_reader reader{limits};
  door opened{flags};
  constexpr int requests_max = 32;
  auto reached = reader.feed(bytes);
  for (int i = 0; i < requests_max && reached == request_reader::step::complete;
       ++i) {
    opened.streams->fail_next(failures[faults % failures.size()]);
    faults = faults / 2 + (faults % 2) * 128;
    opened.ask(std::move(reader.request()));
    reader.drop_request();
    reached = reader.feed("");
  }
  opened.streams->fail_next(errc{});
  opened.finish(faulty);
  if ((flags & rates_flag) == 0)
    opened.check_streams();
  return 0;
}
