// SPDX-License-Identifier: Apache-2.0
#include "server/listen.hpp"

#include "tests/support/raw_client.hpp"
#include "tests/support/scratch_directory.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include <sys/stat.h>

using namespace torpor;

namespace {

errc code_of(const result<listening_socket>& tried) {
  REQUIRE_FALSE(tried);
  return tried.error().code;
}

} // namespace

TEST_CASE("port 0 is any free one, and a port that is taken is named") {
  const auto first = listen_tcp("127.0.0.1", 0);
  REQUIRE(first);
  const auto port = port_of(*first);
  CHECK(port != 0);
  const auto second = listen_tcp("127.0.0.1", port);
  CHECK(code_of(second) == errc::io_failed);
  CHECK(second.error().context
        == "listen at 127.0.0.1 port " + std::to_string(port)
             + ": Address already in use; is torpord running already? Set "
               "http.port");
}

TEST_CASE("an address that is none, or not ours, is refused") {
  CHECK(code_of(listen_tcp("localhost", 0)) == errc::invalid_argument);
  const auto foreign = listen_tcp("192.0.2.1", 0);
  CHECK(code_of(foreign) == errc::io_failed);
  CHECK(foreign.error().context.ends_with(
    "; set http.address to one of this machine"));
}

TEST_CASE("a Unix socket belongs to its user alone") {
  const test::scratch_directory scratch;
  const auto path = scratch.path() + "/door";
  const auto made = listen_unix(path);
  REQUIRE(made);
  struct stat found {};
  REQUIRE(::lstat(path.c_str(), &found) == 0);
  CHECK(S_ISSOCK(found.st_mode));
  CHECK((found.st_mode & 0777) == 0600);
  test::raw_client{path};
}

TEST_CASE("a socket that a process left is replaced, one in use is not") {
  const test::scratch_directory scratch;
  const auto path = scratch.path() + "/door";
  {
    const auto first = listen_unix(path);
    REQUIRE(first);
    const auto second = listen_unix(path);
    CHECK(code_of(second) == errc::locked);
    CHECK(second.error().context
          == "http.socket '" + path
               + "' is in use by another process; stop it, or set another "
                 "path");
    test::raw_client{path};
  }
  REQUIRE(listen_unix(path));
}

TEST_CASE("what is no socket is left alone") {
  const test::scratch_directory scratch;
  const auto path = scratch.path() + "/door";
  std::ofstream{path} << "precious";
  CHECK(code_of(listen_unix(path)) == errc::already_exists);
  std::string text;
  std::ifstream{path} >> text;
  CHECK(text == "precious");
  CHECK(code_of(listen_unix(scratch.path())) == errc::already_exists);
}

TEST_CASE("the longest path that passes the check can be listened at") {
  const test::scratch_directory scratch;
  auto path = scratch.path() + "/";
  path.resize(99, 'x');
  CHECK(check_socket_path(path));
  CHECK(listen_unix(path));
  CHECK_FALSE(check_socket_path(path + "x"));
}

TEST_CASE("a path that is too long or leads nowhere is refused") {
  const auto longer = listen_unix("/tmp/" + std::string(95, 'x'));
  CHECK(code_of(longer) == errc::invalid_argument);
  CHECK(longer.error().context.ends_with(
    "has 100 bytes, at most 99 can be used; set it to a shorter path, or to "
    "\"\" for none"));
  CHECK(code_of(listen_unix("/nowhere/door")) == errc::io_failed);
}
