// SPDX-License-Identifier: Apache-2.0
// Token files: who may do what. Input: a text of a name and one of a header
// Authorization, then a token file.
#include "runtime/assert.hpp"
#include "server/access_list.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <array>
#include <string>

using namespace torpor;
using namespace torpor::test;

namespace {

constexpr std::array verbs{access_verb::append, access_verb::read,
                           access_verb::admin};

/// A line made of a prefix and verbs is read as just that.
void make_line(std::string_view prefix, std::uint8_t allowed) {
  constexpr std::string_view token = "torpor_token";
  const auto parsed = parse_prefix(prefix);
  if (!parsed || (allowed & 7) == 0)
    return;
  access_grant grant;
  grant.hash = sha256(token);
  grant.verbs = allowed & 7;
  grant.prefix = *parsed;
  const auto list = access_list::parse(to_text(grant) + "\n");
  TORPOR_ASSERT(list && list->size() == 1);
  const auto header = "Bearer " + std::string{token};
  for (const auto verb : verbs) {
    const auto judged = list->judge(header, verb, grant.prefix + "/x");
    TORPOR_ASSERT(judged
                  == (grant.has(verb) ? verdict::allowed : verdict::forbidden));
    if (!grant.prefix.empty())
      TORPOR_ASSERT(list->judge(header, verb, "\x01") == verdict::hidden);
    TORPOR_ASSERT(list->judge(header + "x", verb, grant.prefix)
                  == verdict::unauthorized);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  fuzz_input input{data, size};
  const auto allowed = input.u8();
  const auto name = input.text(input.u8());
  const auto header = input.text(input.u8());
  const auto text = input.rest();
  make_line(name, allowed);
  const auto list = access_list::parse(text);
  if (!list) {
    TORPOR_ASSERT(list.error().code == errc::invalid_argument);
    return 0;
  }
  for (const auto verb : verbs) {
    const auto judged = list->judge(header, verb, name);
    if (list->size() == 0)
      TORPOR_ASSERT(judged == verdict::unauthorized);
    // Nobody knows a token of this hash.
    TORPOR_ASSERT(list->judge("", verb, name) == verdict::unauthorized);
  }
  if (const auto parsed = parse_token_hash(header))
    TORPOR_ASSERT(parse_token_hash(to_text(*parsed)) == parsed);
  return 0;
}
