// SPDX-License-Identifier: Apache-2.0
// Decides who a command's streams come from: a daemon or this process.
#include "cli/daemon_place.hpp"
#include "cli/http_streams.hpp"
#include "cli/inspected_store.hpp"
#include "cli/open_store.hpp"
#include "cli/store_follower.hpp"
#include "cli/store_writer.hpp"

namespace torpor {

namespace {

using reader_result = result<std::unique_ptr<stream_reader>>;
using writer_result = result<std::unique_ptr<stream_writer>>;

} // namespace

reader_result open_reader(const command_context& given, reading how) {
  auto daemon = find_daemon(given);
  if (!daemon)
    return tl::unexpected{daemon.error()};
  if (*daemon)
    return std::make_unique<http_streams>(std::move(**daemon));
  if (how == reading::following)
    return open_store(given, 0, false).map([](runtime opened) {
      return std::unique_ptr<stream_reader>{
        std::make_unique<store_follower>(std::move(opened))};
    });
  return inspected_store::open(given.data_dir).map([](inspected_store opened) {
    return std::unique_ptr<stream_reader>{
      std::make_unique<inspected_store>(std::move(opened))};
  });
}

writer_result open_writer(const command_context& given, std::uint64_t bytes,
                          bool create) {
  auto daemon = find_daemon(given);
  if (!daemon)
    return tl::unexpected{daemon.error()};
  if (*daemon)
    return std::make_unique<http_streams>(std::move(**daemon));
  return open_store(given, bytes, create).map([](runtime opened) {
    return std::unique_ptr<stream_writer>{
      std::make_unique<store_writer>(std::move(opened))};
  });
}

} // namespace torpor
