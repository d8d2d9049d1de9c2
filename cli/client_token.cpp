// SPDX-License-Identifier: Apache-2.0
#include "cli/client_token.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>

namespace torpor {

namespace {

constexpr std::size_t token_bytes_max = 4096;

result<std::string> read_token(const std::string& file) {
  errno = 0;
  std::ifstream in{file, std::ios::binary};
  if (!in)
    return fail_io("open", file, errno);
  std::string text(token_bytes_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad())
    return fail_io("read", file, errno);
  text.resize(static_cast<std::size_t>(in.gcount()));
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  if (text.empty())
    return fail(errc::invalid_argument,
                fmt::format("the token file '{}' is empty", file));
  return text;
}

} // namespace

result<std::string> client_token(const std::string& file) {
  const auto* const variable = std::getenv("TORPOR_TOKEN");
  auto token = file.empty()
                 ? result<std::string>{variable == nullptr ? "" : variable}
                 : read_token(file);
  if (!token)
    return token;
  const auto printable = [](char c) { return c > ' ' && c < 0x7f; };
  if (token->size() > token_bytes_max
      || !std::all_of(token->begin(), token->end(), printable))
    return fail(errc::invalid_argument,
                fmt::format("{} is no token: one line of at most {} printable "
                            "characters without a space",
                            file.empty() ? "TORPOR_TOKEN"
                                         : fmt::format("what '{}' holds", file),
                            token_bytes_max));
  return token;
}

} // namespace torpor
