// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tl/expected.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace torpor {

/// Why an operation failed. Decide on this code, never on the text.
/// Reaches clients, logs and metrics: append only.
enum class errc : std::uint8_t {
  invalid_argument = 1, ///< The caller broke a documented precondition.
  not_found,            ///< No stream of that name or id (perhaps deleted).
  already_exists,       ///< A stream of that name exists.
  closed,               ///< The stream is closed: it takes no more entries.
  conflict,             ///< Expected next sequence or producer sequence differs.
  fenced,               ///< A newer epoch of that producer exists.
  out_of_range,         ///< A read before the first or beyond the next sequence.
  overloaded,           ///< A budget is full. Nothing changed; retry later.
  too_large,            ///< Over a documented size limit.
  corrupt,              ///< A checksum failed below the durable end.
  io_failed,            ///< The operating system refused; see the context.
  locked,               ///< Another process has the store open.
  incompatible,         ///< A foreign directory or a store of a newer version.
  shut_down,            ///< The runtime is stopping; nothing was changed.
  mismatch,             ///< The stream has another content type.
  gone,                 ///< Deleted, but kept for the streams forked from it.
  unauthorized,         ///< A server asks for a token that it knows.
  forbidden,            ///< A server's token does not allow that.
};

/// The code's name as in the enumeration, for logs, JSON and metrics.
[[nodiscard]] std::string_view to_string(errc code) noexcept;

/// A failure: the code to decide on and a text for people. The text says what
/// was tried on what, and what the reader can do.
struct error {
  errc code{};
  std::string context;
};

/// "code: context", for logs and terminals.
[[nodiscard]] std::string to_string(const error& failure);

/// The value, or why there is none.
template <class T>
using result = tl::expected<T, error>;

/// `return fail(errc::not_found, "stream 'a' does not exist");`
[[nodiscard]] inline tl::unexpected<error> fail(errc code,
                                                std::string context) {
  return tl::unexpected<error>{error{code, std::move(context)}};
}

/// Describes a failed system call: "pwrite 'journal/7.journal': No space left
/// on device". `number` is its errno.
[[nodiscard]] tl::unexpected<error> fail_io(std::string_view call,
                                            std::string_view path, int number);

} // namespace torpor
