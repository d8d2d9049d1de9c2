// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/http_exchange.hpp"
#include "server/stream_offset.hpp"
#include "torpor/error.hpp"
#include "torpor/types.hpp"
#include "torpor/write_batch.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace torpor {

/// The protocol's header fields.
namespace field {
inline constexpr std::string_view closed = "Stream-Closed";
inline constexpr std::string_view cursor = "Stream-Cursor";
inline constexpr std::string_view data_encoding = "Stream-SSE-Data-Encoding";
inline constexpr std::string_view expires_at = "Stream-Expires-At";
inline constexpr std::string_view fork_offset = "Stream-Fork-Offset";
inline constexpr std::string_view fork_sub_offset = "Stream-Fork-Sub-Offset";
inline constexpr std::string_view forked_from = "Stream-Forked-From";
inline constexpr std::string_view next_offset = "Stream-Next-Offset";
inline constexpr std::string_view order = "Stream-Seq";
inline constexpr std::string_view ttl = "Stream-TTL";
inline constexpr std::string_view up_to_date = "Stream-Up-To-Date";
inline constexpr std::string_view producer_id = "Producer-Id";
inline constexpr std::string_view producer_epoch = "Producer-Epoch";
inline constexpr std::string_view producer_seq = "Producer-Seq";
inline constexpr std::string_view expected_seq = "Producer-Expected-Seq";
inline constexpr std::string_view received_seq = "Producer-Received-Seq";
inline constexpr std::string_view ack = "Torpor-Ack"; // Ours.
inline constexpr std::string_view
  expected_offset = "Torpor-Expected-Offset"; // Ours.
} // namespace field

/// What the header of an append says.
struct append_headers {
  std::string type; ///< As `media_type`; empty: none.
  bool closes = false;
  std::optional<torpor::ack> ack; ///< Nullopt: as the stream's prefix says.
  std::string_view order; ///< Views into the request; empty: none.
  std::optional<torpor::producer> producer;
  std::optional<sequence> expected_next;
};

/// Where a stream shall be forked from.
struct fork_headers {
  std::string source;         ///< Its name.
  std::optional<sequence> at; ///< Nullopt: its end.
  std::uint64_t sub = 0;
};

/// What the header of a create says.
struct create_headers {
  std::string type; ///< As `media_type`; empty: none.
  bool closes = false;
  std::uint64_t ttl_ms = 0;    ///< 0: none.
  std::int64_t expires_ms = 0; ///< 0: none.
  std::optional<fork_headers> fork;
};

/// Errors: invalid_argument: a value that is not understood, naming the field;
/// a field that is there twice; an incomplete producer.
[[nodiscard]] result<append_headers> parse_append(const http_request& request);

/// Errors: invalid_argument, as above; both a TTL and an expiry; an offset of a
/// fork without its source.
[[nodiscard]] result<create_headers> parse_create(const http_request& request);

/// Whether the request's Stream-Closed is "true"; any other value counts as
/// none.
[[nodiscard]] bool says_closed(const http_request& request);

} // namespace torpor
