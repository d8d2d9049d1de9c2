// SPDX-License-Identifier: Apache-2.0
#include "cli/store_follower.hpp"

#include "cli/interrupt.hpp"

#include <chrono>
#include <future>

namespace torpor {

result<std::vector<std::pair<std::string, stream_id>>>
store_follower::list(std::string_view prefix, std::string_view after,
                     std::size_t count_max) {
  return store_.list(std::string{prefix}, std::string{after}, count_max).get();
}

result<stream_info> store_follower::info(stream_ref stream) {
  return store_.stream(std::string{stream.name}).info().get();
}

result<read_page> store_follower::read(stream_ref stream,
                                       const read_options& options) {
  follower source{store_.stream(std::string{stream.name}), options};
  auto page = source.next();
  // A cancel that comes before the read waits has no effect: say it again.
  while (page.wait_for(std::chrono::milliseconds{100})
         != std::future_status::ready)
    if (interrupted())
      source.cancel();
  return page.get();
}

} // namespace torpor
