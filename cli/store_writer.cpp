// SPDX-License-Identifier: Apache-2.0
#include "cli/store_writer.hpp"

#include "cli/json_entries.hpp"
#include "cli/outcome.hpp"
#include "cli/store_bulk_appender.hpp"

namespace torpor {

result<append_result>
store_writer::append(const std::string& stream,
                     const std::vector<std::string_view>& payloads,
                     const append_options& how) {
  const auto info = store_.stream(stream).info().get();
  if (info && takes_json(info->content_type))
    if (const auto fit = check_json_entries(stream, payloads, 0); !fit)
      return tl::unexpected{fit.error()};
  std::vector<new_entry> entries;
  entries.reserve(payloads.size());
  for (const auto payload : payloads)
    entries.push_back({as_bytes(payload), {}});
  const auto to = store_.stream(stream);
  return to.append(entries, how)
    .get()
    .and_then([&](const append_result& done) {
      return (how.ack == ack::buffered ? to.sync().get() : result<void>{})
        .map([&] { return done; });
    });
}

result<void> store_writer::create(const std::string& stream,
                                  const create_options& how) {
  return store_.create(stream, how).get().map([](stream_id) {});
}

result<void> store_writer::remove(const std::string& stream) {
  return store_.stream(stream).remove().get().map_error(name_streams);
}

result<void> store_writer::close(const std::string& stream) {
  return store_.stream(stream).close().get().map_error(name_streams);
}

std::unique_ptr<bulk_appender> store_writer::bulk() {
  return std::make_unique<store_bulk_appender>(store_);
}

} // namespace torpor
