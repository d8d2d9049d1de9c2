// SPDX-License-Identifier: Apache-2.0
// The protocol's header fields and queries. Input: two bytes for each field
// that say which one it is and how long, its value, and so on.
#include "server/stream_headers.hpp"

#include "runtime/assert.hpp"
#include "runtime/stream_name.hpp"
#include "server/content_type.hpp"
#include "server/etag.hpp"
#include "server/stream_query.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <array>

using namespace torpor;
using namespace torpor::test;

namespace {

constexpr std::array<std::string_view, 14> names{
  "Content-Type",         field::closed,        field::expires_at,
  field::fork_offset,     field::fork_sub_offset, field::forked_from,
  field::order,           field::ttl,           field::producer_id,
  field::producer_epoch,  field::producer_seq,  field::ack,
  field::expected_offset, "If-None-Match"};

/// No error quotes a control character.
template <class T>
bool good(const result<T>& got) {
  if (got)
    return true;
  TORPOR_ASSERT(got.error().code == errc::invalid_argument);
  for (const unsigned char c : got.error().context)
    TORPOR_ASSERT(c >= 0x20 && c != 0x7f);
  return false;
}

void check_append(const http_request& request) {
  const auto append = parse_append(request);
  if (!good(append))
    return;
  TORPOR_ASSERT(append->order.size() <= limits::order_bytes_max);
  TORPOR_ASSERT(append->type.empty()
                || media_type(append->type) == append->type);
  if (append->producer)
    TORPOR_ASSERT(!append->producer->id.empty()
                  && append->producer->id.size()
                       <= limits::producer_id_bytes_max);
}

void check_create(const http_request& request) {
  const auto create = parse_create(request);
  if (!good(create))
    return;
  TORPOR_ASSERT(create->type.size() <= limits::content_type_bytes_max);
  TORPOR_ASSERT(create->ttl_ms == 0 || create->expires_ms == 0);
  TORPOR_ASSERT(create->ttl_ms <= std::uint64_t{1} << 42);
  TORPOR_ASSERT(create->expires_ms >= 0);
  if (create->fork)
    TORPOR_ASSERT(check_name(create->fork->source));
}

void check_query(std::string_view target) {
  const auto query = parse_query(target);
  if (!good(query) || query->offset.where != stream_offset::place::at)
    return;
  const auto again = parse_offset(offset_text(query->offset.at));
  TORPOR_ASSERT(again && *again == query->offset);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  fuzz_input input{data, size};
  http_request request;
  if (input.u8() % 2 != 0)
    request.body() = "body";
  for (std::size_t fields = 0; !input.empty() && fields < 32; ++fields) {
    const auto name = names[input.u8() % names.size()];
    const auto value = input.text(input.u8());
    // The parser lets no other value through.
    if (value.find_first_of(std::string_view{"\r\n\0", 3}) != value.npos)
      continue;
    request.insert({name.data(), name.size()}, {value.data(), value.size()});
    check_query(value);
    static_cast<void>(matches({value.data(), value.size()}, "\"1:0:2\""));
  }
  check_append(request);
  check_create(request);
  return 0;
}
