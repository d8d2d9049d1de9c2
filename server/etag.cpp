// SPDX-License-Identifier: Apache-2.0
#include "server/etag.hpp"

#include "server/page_body.hpp"

#include <fmt/format.h>

#include <string_view>

namespace torpor {

std::string etag_of(const read_page& page, bool entries) {
  return fmt::format("\"{}:{}:{}{}{}\"", raw(page.stream),
                     raw(page.next_from) - page.entries.size(),
                     raw(page.next_from), at_end(page) ? ":c" : "",
                     entries ? ":e" : "");
}

bool matches(boost::beast::string_view if_none_match,
             boost::beast::string_view etag) {
  std::string_view rest{if_none_match.data(), if_none_match.size()};
  const std::string_view wanted{etag.data(), etag.size()};
  // No tag of ours has a comma or a blank.
  while (!rest.empty()) {
    auto each = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), each.size() + 1));
    while (each.starts_with(' ') || each.starts_with('\t'))
      each.remove_prefix(1);
    while (each.ends_with(' ') || each.ends_with('\t'))
      each.remove_suffix(1);
    if (each.starts_with("W/")) // A cache may have weakened it.
      each.remove_prefix(2);
    if (each == wanted || each == "*")
      return true;
  }
  return false;
}

} // namespace torpor
