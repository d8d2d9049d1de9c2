// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace torpor {

/// The little of an answer's head that a load generator needs.
struct answer_head {
  std::size_t bytes = 0;   ///< With the empty line that ends it.
  unsigned status = 0;     ///< 100 to 999.
  std::uint64_t body = 0;  ///< Bytes of the body, if there is one.
  bool has_length = false; ///< The head tells `body`.
  bool closes = false;     ///< The server closes the connection behind it.
};

/// Reads the head at the beginning of some bytes; none when its end is not
/// there yet. Errors: invalid_argument: that is no HTTP/1.
[[nodiscard]] result<std::optional<answer_head>>
read_answer_head(std::string_view bytes);

/// The value of a header in a head; empty when there is none.
[[nodiscard]] std::string_view answer_header(std::string_view head,
                                           std::string_view name);

} // namespace torpor
