// SPDX-License-Identifier: Apache-2.0
#include "server/front_door.hpp"

#include "runtime/clock.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace torpor {

front_door::front_door(const http_options& options,
                       std::shared_ptr<engine> engine,
                       std::optional<access_list> tokens)
  : store_(view_of(std::move(engine))),
    status_{*store_, metrics_},
    door_{nullptr,
          rate_limiter{{options.rate_requests, options.rate_bytes}}, metrics_,
          status_} {
  if (tokens)
    door_.access = &access_.emplace(options.tokens, std::move(*tokens));
  status_.door = [this] { return facts(); };
  const system_clock time;
  status_.started_ms = time.wall_ms();
  status_.started_tick = time.monotonic_ms();
}

result<std::unique_ptr<front_door>>
front_door::open(const http_options& options, std::shared_ptr<engine> engine,
                 const handler_factory& protocol) {
  std::optional<access_list> tokens;
  if (!options.tokens.empty()) {
    auto read = load_access(options.tokens);
    if (!read)
      return tl::unexpected{std::move(read).error()};
    tokens = std::move(*read);
  }
  std::unique_ptr<front_door> made{
    new front_door{options, std::move(engine), std::move(tokens)}};
  auto server = http_server::start(options, [&](io_loop& loop) {
    return std::make_unique<http_router>(made->door_, protocol(loop));
  });
  if (!server)
    return tl::unexpected{std::move(server).error()};
  made->server_ = std::move(*server);
  made->serving_ = made->server_.get();
  return made;
}

front_door::~front_door() = default;

/// A request may come before the server is known to have started.
door_facts front_door::facts() const {
  const http_server* const serving = serving_;
  if (serving == nullptr)
    return {};
  const auto traffic = serving->traffic();
  return {serving->connections(), traffic.received_bytes, traffic.sent_bytes};
}

void front_door::reload_tokens() {
  if (!access_) {
    spdlog::warn("tokens-reload-none hint=\"http.tokens is not set: everybody "
                 "may do everything; set it and restart\"");
    return;
  }
  if (const auto read = access_->reload(); read)
    spdlog::info("tokens-reloaded file=\"{}\" lines={}", access_->path(),
                 access_->list()->size());
  else
    spdlog::error("tokens-reload-failed error=\"{}\" hint=\"the tokens read "
                  "before hold\"",
                  read.error().context);
}

void front_door::stop() {
  status_.stopping = true;
  server_->stop();
}

} // namespace torpor
