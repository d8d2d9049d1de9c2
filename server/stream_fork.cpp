// SPDX-License-Identifier: Apache-2.0
#include "server/stream_fork.hpp"

#include "runtime/stream_name.hpp"
#include "server/content_type.hpp"

#include <fmt/format.h>

namespace torpor {

namespace {

using then_type = std::function<void(result<create_plan>)>;

/// What is inherited when the request does not say it.
result<void> inherit(create_plan& plan, const stream_info& source,
                     std::string_view name) {
  const auto type = source.content_type.empty()
                      ? default_type
                      : std::string_view{source.content_type};
  if (!plan.how.content_type.empty() && plan.how.content_type != type)
    return fail(errc::mismatch,
                fmt::format("stream '{}' is of type {}, a fork cannot be of "
                            "type {}",
                            printable(name), type, plan.how.content_type));
  plan.how.content_type = type;
  if (plan.how.keep.ttl_ms == 0 && plan.how.keep.expires_ms == 0) {
    plan.how.keep.ttl_ms = source.retention.ttl_ms;
    plan.how.keep.expires_ms = source.retention.expires_ms;
  }
  return {};
}

/// Reads the entry in whose middle the fork begins.
void take_prefix(stream_door& door, create_plan plan, then_type then) {
  auto request = std::make_unique<read_request>();
  request->stream = plan.source;
  request->options.from = plan.at;
  request->options.count_max = 1;
  door.store.read(std::move(request), [plan = std::move(plan),
                                       then = std::move(then)](
                                        result<read_page> page) mutable {
    if (!page)
      return then(tl::unexpected{page.error()});
    const auto bytes = plan.how.origin.sub;
    const auto there = page->entries.empty()
                         ? std::string_view{}
                         : as_text(page->entries.front().payload);
    if (there.size() < bytes)
      return then(fail(errc::invalid_argument,
                       fmt::format("Stream-Fork-Sub-Offset is {}, there are {} "
                                   "bytes",
                                   bytes, there.size())));
    plan.prefix = there.substr(0, bytes);
    then(std::move(plan));
  });
}

void plan_by(stream_door& door, const stream_info& source, create_plan plan,
             const fork_headers& from, const then_type& then) {
  if (auto inherited = inherit(plan, source, from.source); !inherited)
    return then(tl::unexpected{inherited.error()});
  plan.source = source.id;
  plan.at = from.at.value_or(source.next);
  plan.any_place = !from.at;
  const auto json = kind_of(plan.how.content_type) == stream_kind::json;
  const auto room = raw(source.next) - std::min(raw(plan.at), raw(source.next));
  if (raw(plan.at) > raw(source.next) || (json && from.sub > room)
      || (room == 0 && from.sub > 0))
    return then(fail(errc::invalid_argument,
                     fmt::format("the place of the fork is beyond the end of "
                                 "stream '{}'",
                                 printable(from.source))));
  // Each message is an entry: behind some of them the stream can be left.
  if (json)
    plan.at = plan.at + from.sub;
  else
    plan.how.origin.sub = from.sub;
  if (plan.how.origin.sub == 0)
    return then(std::move(plan));
  take_prefix(door, std::move(plan), then);
}

} // namespace

void plan_fork(stream_door& door, create_plan plan, fork_headers from,
               then_type then) {
  const auto source = from.source;
  door.store.info(source, [&door, plan = std::move(plan),
                           from = std::move(from), then = std::move(then)](
                            const result<stream_info>& info) {
    if (info)
      return plan_by(door, *info, plan, from, then);
    auto why = info.error();
    if (why.code == errc::gone)
      why = {errc::conflict, fmt::format("stream '{}' is deleted; it cannot be "
                                         "forked any more",
                                         printable(from.source))};
    then(tl::unexpected{std::move(why)});
  });
}

} // namespace torpor
