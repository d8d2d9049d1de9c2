// SPDX-License-Identifier: Apache-2.0
#include "server/access_list.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

namespace torpor {

namespace {

constexpr auto append = access_verb::append;
constexpr auto read = access_verb::read;
constexpr auto admin = access_verb::admin;

std::string line(std::string_view token, std::string_view rights) {
  return fmt::format("{} {}\n", rights, to_text(sha256(token)));
}

access_list list_of(const std::string& text) {
  auto parsed = access_list::parse(text);
  REQUIRE_MESSAGE(parsed, parsed.error().context);
  return std::move(*parsed);
}

std::string refusal(const std::string& text) {
  const auto parsed = access_list::parse(text);
  REQUIRE(!parsed);
  CHECK(parsed.error().code == errc::invalid_argument);
  return parsed.error().context;
}

} // namespace

TEST_SUITE_BEGIN("access_list");

TEST_CASE("a hash is that of SHA-256, as sha256sum prints it") {
  CHECK(to_text(sha256("abc"))
        == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f200"
           "15ad");
  CHECK(parse_token_hash(to_text(sha256("abc"))) == sha256("abc"));
}

TEST_CASE("a token has 256 bits of its own") {
  const auto one = make_token();
  const auto two = make_token();
  REQUIRE((one && two));
  CHECK(one->size() == 7 + 64);
  CHECK(one->starts_with("torpor_"));
  CHECK(*one != *two);
}

TEST_CASE("a token may do what its line says and nothing else") {
  const auto list = list_of(line("t", "append,read acme/"));
  CHECK(list.judge("Bearer t", append, "acme/a") == verdict::allowed);
  CHECK(list.judge("Bearer t", read, "acme/a/b") == verdict::allowed);
  CHECK(list.judge("Bearer t", admin, "acme/a") == verdict::forbidden);
  CHECK(list.judge("Bearer t", read, "zoo/a") == verdict::hidden);
  CHECK(list.judge("Bearer t", read, "acme") == verdict::hidden);
  CHECK(list.judge("Bearer t", admin, "zoo/a") == verdict::hidden);
  CHECK(list.judge("Bearer t", read, "") == verdict::hidden);
}

TEST_CASE("who has no right token is unauthorized everywhere") {
  const auto list = list_of(line("right", "append,read,admin *"));
  for (const auto* const header :
       {"", "right", "Bearer", "Bearer ", "Bearer  ", "Bearer wrong",
        "Basic right", "Bearer rightx", "Bearer righ", "Bearer RIGHT",
        "Bearerright"}) {
    INFO(std::string{header});
    for (const auto verb : {append, read, admin})
      CHECK(list.judge(header, verb, "a") == verdict::unauthorized);
  }
  CHECK(list.judge("Bearer right", admin, "") == verdict::allowed);
  CHECK(list.judge("bEARER   right ", read, "a") == verdict::allowed);
  CHECK(list_of("").judge("Bearer right", read, "a") == verdict::unauthorized);
}

TEST_CASE("the hash in the file is no token") {
  const auto list = list_of(line("t", "read *"));
  CHECK(list.judge("Bearer " + to_text(sha256("t")), read, "a")
        == verdict::unauthorized);
}

TEST_CASE("a hash that differs at its end is another one") {
  auto hash = sha256("t");
  hash.back() ^= std::byte{1};
  const auto list = list_of("read * " + to_text(hash) + "\n");
  CHECK(list.judge("Bearer t", read, "a") == verdict::unauthorized);
}

TEST_CASE("a token with several lines may do what any of them says") {
  const auto list = list_of(line("t", "read acme/") + line("u", "read *")
                            + line("t", "append acme/in/")
                            + line("t", "read zoo/"));
  CHECK(list.judge("Bearer t", append, "acme/in/1") == verdict::allowed);
  CHECK(list.judge("Bearer t", read, "acme/in/1") == verdict::allowed);
  CHECK(list.judge("Bearer t", append, "acme/out") == verdict::forbidden);
  CHECK(list.judge("Bearer t", read, "zoo/1") == verdict::allowed);
  CHECK(list.judge("Bearer t", append, "other") == verdict::hidden);
  CHECK(list.judge("Bearer u", read, "other") == verdict::allowed);
}

TEST_CASE("every one of many tokens is found") {
  std::string text;
  for (int i = 0; i < 1000; ++i)
    text += line(std::to_string(i), fmt::format("read {}/", i));
  const auto list = list_of(text);
  CHECK(list.size() == 1000);
  for (int i = 0; i < 1000; ++i) {
    const auto header = fmt::format("Bearer {}", i);
    CHECK(list.judge(header, read, fmt::format("{}/x", i))
          == verdict::allowed);
    CHECK(list.judge(header, read, fmt::format("{}/x", i + 1))
          == verdict::hidden);
  }
}

TEST_CASE("comments, empty lines and blanks are passed over") {
  const auto hash = to_text(sha256("t"));
  const auto list = list_of("# who\n\n  \t\r\n\tread  \t acme/#1   " + hash
                            + " # a comment\r\n  # end");
  CHECK(list.size() == 1);
  CHECK(list.judge("Bearer t", read, "acme/#1") == verdict::allowed);
}

TEST_CASE("a grant is written as it is read") {
  for (const auto* const rights :
       {"read *", "append,read,admin acme/", "append a#b", "admin \xc3\xbc/"}) {
    const access_grant grant{sha256("t"),
                             *parse_verbs(std::string_view{rights}.substr(
                               0, std::string_view{rights}.find(' '))),
                             *parse_prefix(std::string_view{rights}.substr(
                               std::string_view{rights}.find(' ') + 1))};
    CHECK(to_text(grant) + "\n" == line("t", rights));
  }
}

TEST_CASE("each bad line is refused by its number, and nothing is quoted") {
  const auto good = line("t", "read *");
  const auto hash = to_text(sha256("t"));
  for (const auto& bad : std::vector<std::string>
       {"secret", "read", "read *", "read * secret", "write * " + hash,
        "read, * " + hash, ",read * " + hash,
        "READ * " + hash, "read * " + hash + " secret", "read " + hash,
        "read * " + hash.substr(0, 70), "read * " + hash + "0",
        "read * SHA256:" + hash.substr(7), "read \xff " + hash,
        "read * sha256:" + std::string(64, 'G')}) {
    INFO(bad);
    const auto text = refusal("# first\n" + good + bad + "\n" + good);
    CHECK(text.starts_with("3: "));
    CHECK(text.find("secret") == text.npos);
    CHECK(text.find(hash.substr(7)) == text.npos);
  }
}

TEST_SUITE_END();

} // namespace torpor
