// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/catalog.hpp"
#include "runtime/wire.hpp"
#include "torpor/types.hpp"

#include <array>
#include <optional>
#include <string_view>
#include <vector>

namespace torpor {

// The keys and values of the LMDB catalog (docs/catalog-format.md), apart from
// the record itself.

using catalog_value = std::vector<std::byte>;

/// LMDB takes no longer key.
inline constexpr std::size_t catalog_key_bytes_max = 511;

/// Appends a checksum of `key` and of `body`, all of it, to `body`.
void seal(bytes_view key, catalog_value& body);

/// The body of a sealed value, or nullopt when key or value are damaged.
[[nodiscard]] std::optional<bytes_view> unseal(bytes_view key,
                                               bytes_view value) noexcept;

/// A name as `names` keeps it: names of 512 bytes share the key of their
/// first 511 and are told apart by the rest.
struct split_name {
  explicit split_name(std::string_view name) noexcept
    : key{name.substr(0, catalog_key_bytes_max)},
      rest{name.substr(key.size())} {}

  std::string_view key;
  std::string_view rest; ///< 0 or 1 byte.
};

/// One of the names behind a key, and the stream it leads to.
struct name_target {
  std::string_view rest;
  stream_id id{};
};

/// Walks through the body of a value of `names`. Threads: one owner.
class name_targets {
public:
  explicit name_targets(bytes_view body) noexcept : in_{body} {}

  /// The next target in the order of names; nullopt at the end.
  std::optional<name_target> next() noexcept;

private:
  wire_reader in_;
};

/// Where a name leads to, by the rest of the name.
[[nodiscard]] std::optional<stream_id>
find_target(bytes_view body, std::string_view rest) noexcept;

/// Appends `body` to `into` with the target of `rest` replaced, added, or,
/// without an id, left out.
void set_target(bytes_view body, std::string_view rest,
                std::optional<stream_id> id, catalog_value& into);

/// The key of a review: sorts by time, then by stream.
[[nodiscard]] std::array<std::byte, 16> encode(const stream_review& review);
[[nodiscard]] std::optional<stream_review> decode_review(bytes_view key);

/// The state of the store. Nullopt when malformed.
void encode(const catalog_state& state, catalog_value& into);
[[nodiscard]] std::optional<catalog_state> decode_state(bytes_view body);

/// A number on its own: a format version, or the largest of a slot.
void encode_number(std::uint64_t number, catalog_value& into);
[[nodiscard]] std::optional<std::uint64_t> decode_number(bytes_view body);

} // namespace torpor
