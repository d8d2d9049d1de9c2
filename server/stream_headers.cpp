// SPDX-License-Identifier: Apache-2.0
#include "server/stream_headers.hpp"

#include "runtime/quantity.hpp"
#include "runtime/stream_name.hpp"
#include "server/content_type.hpp"
#include "server/stream_path.hpp"

#include <boost/beast/core/string.hpp>
#include <fmt/format.h>

#include <charconv>

namespace torpor {

namespace {

constexpr auto producer_number_max = (std::uint64_t{1} << 53) - 1;

tl::unexpected<error> refuse(std::string_view name, std::string_view value,
                             std::string_view expected) {
  return fail(
    errc::invalid_argument,
    fmt::format("{} is '{}', expected {}", name, printable(value), expected));
}

/// The value of a field that may be there once; nullopt: it is not there.
result<std::optional<std::string_view>> value_of(const http_request& request,
                                                 std::string_view name) {
  const auto [begin, end] = request.equal_range({name.data(), name.size()});
  if (begin == end)
    return std::nullopt;
  if (std::next(begin) != end)
    return fail(errc::invalid_argument, fmt::format("{} is there twice", name));
  const auto value = begin->value();
  return std::string_view{value.data(), value.size()};
}

/// A number in decimal notation, without sign and, if `strict`, without leading
/// zeros.
std::optional<std::uint64_t> parse_number(std::string_view text, bool strict) {
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end
      || (strict && text.size() > 1 && text.front() == '0'))
    return std::nullopt;
  return value;
}

result<std::string> parse_type(const http_request& request) {
  const auto given = value_of(request, "Content-Type");
  if (!given)
    return tl::unexpected{given.error()};
  return *given ? media_type(**given) : std::string{};
}

result<std::optional<sequence>> parse_place(const http_request& request,
                                            std::string_view name) {
  const auto given = value_of(request, name);
  if (!given)
    return tl::unexpected{given.error()};
  if (!*given)
    return std::nullopt;
  const auto offset = parse_offset(**given);
  if (!offset)
    return fail(errc::invalid_argument,
                fmt::format("{}: {}", name, offset.error().context));
  if (offset->where == stream_offset::place::now)
    return std::nullopt;
  return offset->at;
}

result<std::uint64_t> parse_producer_number(std::string_view name,
                                            std::string_view text) {
  const auto value = parse_number(text, false);
  if (!value || *value > producer_number_max)
    return refuse(name, text, "a whole number up to 9007199254740991");
  return *value;
}

result<std::optional<torpor::producer>>
parse_producer(const http_request& request) {
  const auto id = value_of(request, field::producer_id);
  const auto epoch = value_of(request, field::producer_epoch);
  const auto number = value_of(request, field::producer_seq);
  for (const auto* each : {&id, &epoch, &number})
    if (!*each)
      return tl::unexpected{each->error()};
  if (!*id && !*epoch && !*number)
    return std::nullopt;
  if (!*id || !*epoch || !*number)
    return fail(errc::invalid_argument,
                "Producer-Id, Producer-Epoch and Producer-Seq have to be given "
                "together");
  if ((*id)->empty() || (*id)->size() > limits::producer_id_bytes_max)
    return refuse(field::producer_id, **id,
                  fmt::format("1 to {} bytes", limits::producer_id_bytes_max));
  const auto parsed_epoch = parse_producer_number(field::producer_epoch,
                                                  **epoch);
  if (!parsed_epoch)
    return tl::unexpected{parsed_epoch.error()};
  const auto parsed_number = parse_producer_number(field::producer_seq,
                                                   **number);
  if (!parsed_number)
    return tl::unexpected{parsed_number.error()};
  return torpor::producer{std::string{**id}, *parsed_epoch, *parsed_number};
}

result<std::string_view> parse_order(const http_request& request) {
  const auto given = value_of(request, field::order);
  if (!given)
    return tl::unexpected{given.error()};
  if (!*given)
    return std::string_view{};
  if ((*given)->empty() || (*given)->size() > limits::order_bytes_max)
    return refuse(field::order, **given,
                  fmt::format("1 to {} bytes", limits::order_bytes_max));
  return **given;
}

/// A stream that may idle for no time at all lives for 1 ms.
result<std::uint64_t> parse_ttl(std::string_view text) {
  constexpr auto most_s = (std::uint64_t{1} << 42) / 1000;
  const auto seconds = parse_number(text, true);
  if (!seconds || *seconds > most_s)
    return refuse(
      field::ttl, text,
      fmt::format("whole seconds up to {}, without leading zeros", most_s));
  return std::max<std::uint64_t>(1, *seconds * 1000);
}

result<void> parse_lifetime(const http_request& request, create_headers& into) {
  const auto ttl = value_of(request, field::ttl);
  const auto expires = value_of(request, field::expires_at);
  for (const auto* each : {&ttl, &expires})
    if (!*each)
      return tl::unexpected{each->error()};
  if (*ttl && *expires)
    return fail(errc::invalid_argument,
                "Stream-TTL and Stream-Expires-At exclude each other");
  if (*ttl)
    return parse_ttl(**ttl).map([&](auto ms) { into.ttl_ms = ms; });
  if (!*expires)
    return {};
  const auto ms = parse_time(**expires);
  if (!ms)
    return refuse(field::expires_at, **expires,
                  "a time such as 2026-12-31T23:59:59Z (RFC 3339)");
  into.expires_ms = std::max<std::int64_t>(1, *ms); // 0 would be none.
  return {};
}

result<std::optional<fork_headers>> parse_fork(const http_request& request) {
  const auto source = value_of(request, field::forked_from);
  const auto at = parse_place(request, field::fork_offset);
  const auto sub = value_of(request, field::fork_sub_offset);
  if (!source)
    return tl::unexpected{source.error()};
  if (!at)
    return tl::unexpected{at.error()};
  if (!sub)
    return tl::unexpected{sub.error()};
  if (!*source) {
    if (*at || *sub)
      return fail(errc::invalid_argument,
                  "Stream-Fork-Offset and Stream-Fork-Sub-Offset need "
                  "Stream-Forked-From");
    return std::nullopt;
  }
  auto name = stream_name_of(**source);
  if (!name)
    return fail(
      errc::invalid_argument,
      fmt::format("{}: {}", field::forked_from, name.error().context));
  fork_headers fork{std::move(*name), *at, 0};
  if (*sub) {
    const auto number = parse_number(**sub, true);
    if (!number)
      return refuse(field::fork_sub_offset, **sub,
                    "a whole number without leading zeros");
    fork.sub = *number;
  }
  return fork;
}

} // namespace

bool says_closed(const http_request& request) {
  const auto found = request.find(
    boost::beast::string_view{field::closed.data(), field::closed.size()});
  return found != request.end()
         && boost::beast::iequals(found->value(), "true");
}

result<append_headers> parse_append(const http_request& request) {
  append_headers all;
  all.closes = says_closed(request);
  // Without a body there is nothing that could be of a type.
  if (!request.body().empty()) {
    auto type = parse_type(request);
    if (!type)
      return tl::unexpected{type.error()};
    all.type = std::move(*type);
  }
  const auto order = parse_order(request);
  if (!order)
    return tl::unexpected{order.error()};
  all.order = *order;
  const auto expected = parse_place(request, field::expected_offset);
  if (!expected)
    return tl::unexpected{expected.error()};
  all.expected_next = *expected;
  const auto ack = value_of(request, field::ack);
  if (!ack)
    return tl::unexpected{ack.error()};
  if (*ack && **ack != "durable" && **ack != "buffered")
    return refuse(field::ack, **ack, "durable or buffered");
  if (*ack)
    all.ack = **ack == "buffered" ? torpor::ack::buffered
                                  : torpor::ack::durable;
  return parse_producer(request).map([&](auto producer) {
    all.producer = std::move(producer);
    return std::move(all);
  });
}

result<create_headers> parse_create(const http_request& request) {
  create_headers all;
  all.closes = says_closed(request);
  auto type = parse_type(request);
  if (!type)
    return tl::unexpected{type.error()};
  all.type = std::move(*type);
  if (auto lifetime = parse_lifetime(request, all); !lifetime)
    return tl::unexpected{lifetime.error()};
  return parse_fork(request).map([&](auto fork) {
    all.fork = std::move(fork);
    return std::move(all);
  });
}

} // namespace torpor
