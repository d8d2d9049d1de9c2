// SPDX-License-Identifier: Apache-2.0
// What http_streams changes; what it reads is in http_streams_read.cpp.
#include "cli/http_streams.hpp"

#include "cli/entry_frames.hpp"
#include "cli/http_bulk_appender.hpp"
#include "cli/human.hpp"
#include "cli/json_entries.hpp"
#include "cli/outcome.hpp"
#include "cli/stream_offset_text.hpp"

#include <fmt/format.h>

namespace torpor {

namespace {

/// A JSON stream takes an array; its messages are the entries.
std::string to_json_array(const std::vector<std::string_view>& payloads) {
  return fmt::format("[{}]", fmt::join(payloads, ","));
}

void add_conditions(http_call& call, const append_options& how) {
  if (how.expected_next)
    call.fields.emplace_back("Torpor-Expected-Offset",
                             offset_text(*how.expected_next));
  if (!how.producer)
    return;
  call.repeatable = true;
  call.fields.emplace_back("Producer-Id", how.producer->id);
  call.fields.emplace_back("Producer-Epoch",
                           fmt::to_string(how.producer->epoch));
  call.fields.emplace_back("Producer-Seq",
                           fmt::to_string(how.producer->number));
}

/// What of `create` the protocol has no word for.
std::string_view beyond_protocol(const create_options& how) {
  if (how.policy != sync_policy{})
    return "--max-delay-ms, --max-bytes and --linger-ms";
  const auto& keep = how.keep;
  if (keep.age_ms != 0 || keep.bytes != 0 || keep.entries != 0)
    return "--age, --bytes and --entries";
  if (keep.ttl_ms == retention_policy::unlimited || keep.ttl_ms % 1000 != 0)
    return "--ttl that is no number of seconds";
  return {};
}

} // namespace

result<http_answer>
http_streams::post(const std::string& stream,
                   const std::vector<std::string_view>& payloads,
                   const append_options& how) {
  return post_body(stream, entry_frames_type, to_entry_frames(payloads), how);
}

result<http_answer>
http_streams::post_json(const std::string& stream,
                        const std::vector<std::string_view>& payloads,
                        const append_options& how, std::uint64_t before) {
  return check_json_entries(stream, payloads, before).and_then([&] {
    return post_body(stream, "application/json", to_json_array(payloads), how);
  });
}

result<http_answer>
http_streams::post_body(const std::string& stream, std::string_view type,
                        std::string_view body, const append_options& how) {
  http_call call{http_method::post, client_.place().url.stream(stream), {},
                 body};
  call.fields.emplace_back("Content-Type", type);
  add_conditions(call, how);
  return expect(call, fmt::format("append to '{}'", stream));
}

result<append_result>
http_streams::append(const std::string& stream,
                     const std::vector<std::string_view>& payloads,
                     const append_options& how) {
  return append(stream, payloads, how, 0);
}

result<append_result>
http_streams::append(const std::string& stream,
                     const std::vector<std::string_view>& payloads,
                     const append_options& how, std::uint64_t before) {
  auto answer = stream == json_stream_
                  ? post_json(stream, payloads, how, before)
                  : post(stream, payloads, how);
  if (!answer && answer.error().code == errc::not_found) {
    // Somebody else may make it at the same time.
    const auto made = create(stream, {});
    if (!made && made.error().code != errc::already_exists)
      return tl::unexpected{made.error()};
    answer = post(stream, payloads, how);
  }
  if (!answer && answer.error().code == errc::mismatch
      && stream != json_stream_) {
    answer = post_json(stream, payloads, how, before);
    if (answer)
      json_stream_ = stream;
  }
  return answer.and_then([&](const http_answer& got) -> result<append_result> {
    const auto next = read_offset(got.field("Stream-Next-Offset"));
    if (!next || raw(*next) < payloads.size())
      return fail(errc::incompatible,
                  "the server's offsets are not Torpor's; is it torpord?");
    append_result done;
    done.count = static_cast<std::uint32_t>(payloads.size());
    done.first = sequence{raw(*next) - payloads.size()};
    // New entries of a producer are answered with 200.
    done.duplicate = how.producer && got.status == 204;
    return done;
  });
}

result<void> http_streams::create(const std::string& stream,
                                  const create_options& how) {
  if (const auto what = beyond_protocol(how); !what.empty())
    return fail(errc::invalid_argument,
                fmt::format("{} cannot be said over HTTP; stop torpord and "
                            "name the store's directory with --data-dir",
                            what));
  http_call call{http_method::put, client_.place().url.stream(stream), {}, {}};
  if (!how.content_type.empty())
    call.fields.emplace_back("Content-Type", how.content_type);
  if (how.keep.ttl_ms > 0)
    call.fields.emplace_back("Stream-TTL",
                             fmt::to_string(how.keep.ttl_ms / 1000));
  if (how.keep.expires_ms > 0)
    call.fields.emplace_back("Stream-Expires-At",
                             human_time(how.keep.expires_ms));
  return expect(call, fmt::format("create '{}'", stream))
    .and_then([&](const http_answer& answer) -> result<void> {
      if (answer.status == 200)
        return fail(errc::already_exists,
                    fmt::format("stream '{}' exists already", stream));
      return {};
    });
}

result<void> http_streams::remove(const std::string& stream) {
  const http_call call{http_method::remove, client_.place().url.stream(stream),
                       {}, {}};
  return expect(call, fmt::format("delete '{}'", stream))
    .map_error(name_streams)
    .map([](const http_answer&) {});
}

result<void> http_streams::close(const std::string& stream) {
  http_call call{http_method::post, client_.place().url.stream(stream), {}, {}};
  call.fields.emplace_back("Stream-Closed", "true");
  call.repeatable = true;
  return expect(call, fmt::format("close '{}'", stream))
    .map_error(name_streams)
    .map([](const http_answer&) {});
}

std::unique_ptr<bulk_appender> http_streams::bulk() {
  return std::make_unique<http_bulk_appender>(*this);
}

} // namespace torpor
