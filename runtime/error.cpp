// SPDX-License-Identifier: Apache-2.0
#include "torpor/error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

namespace torpor {

std::string_view to_string(errc code) noexcept {
  switch (code) {
    case errc::invalid_argument: return "invalid_argument";
    case errc::not_found: return "not_found";
    case errc::already_exists: return "already_exists";
    case errc::closed: return "closed";
    case errc::conflict: return "conflict";
    case errc::fenced: return "fenced";
    case errc::out_of_range: return "out_of_range";
    case errc::overloaded: return "overloaded";
    case errc::too_large: return "too_large";
    case errc::corrupt: return "corrupt";
    case errc::io_failed: return "io_failed";
    case errc::locked: return "locked";
    case errc::incompatible: return "incompatible";
    case errc::shut_down: return "shut_down";
    case errc::mismatch: return "mismatch";
    case errc::gone: return "gone";
    case errc::unauthorized: return "unauthorized";
    case errc::forbidden: return "forbidden";
  }
  return "unknown";
}

std::string to_string(const error& failure) {
  return fmt::format("{}: {}", to_string(failure.code), failure.context);
}

namespace {

/// Which limit it was that a process ran into.
std::string_view limit_of(int number) noexcept {
  switch (number) {
    case EFBIG: return " (ulimit -f)";
    case EMFILE: return " (ulimit -n)";
    case ENFILE: return " (sysctl fs.file-max)";
    default: return "";
  }
}

} // namespace

tl::unexpected<error> fail_io(std::string_view call, std::string_view path,
                              int number) {
  return fail(errc::io_failed,
              fmt::format("{} '{}': {}{}", call, path,
                          std::generic_category().message(number),
                          limit_of(number)));
}

} // namespace torpor
