// SPDX-License-Identifier: Apache-2.0
#include "server/http_server.hpp"

#include "tests/support/http_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <malloc.h>
#include <sys/resource.h>

using namespace torpor;
using test::wait_until;

namespace {

/// Connections that have got the head of an answer, in no memory of the heap.
class many_clients {
public:
  explicit many_clients(std::size_t count) { clients_.reserve(count); }

  void ask(test::http_fixture& door, std::string_view request) {
    for (auto i = clients_.size(); i < clients_.capacity(); ++i) {
      clients_.push_back(door.connect());
      clients_.back().send(request);
    }
  }

private:
  std::vector<test::raw_client> clients_;
};

std::size_t heap_bytes() {
  const auto heap = ::mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

/// As many as can be opened, both ends being ours; 10,000 at most.
std::size_t clients_max() {
  rlimit files{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &files) == 0);
  return std::min<std::size_t>(10'000, (files.rlim_cur - 200) / 2);
}

} // namespace

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

TEST_CASE_FIXTURE(test::http_fixture,
                  "a connection that waits costs at most 1,536 bytes") {
  std::string path;
  SUBCASE("for events") { path = "/events"; }
  SUBCASE("for a long-poll") { path = "/wait"; }
  SUBCASE("for the next request") { path = "/echo"; }
  if (path.empty())
    return;
  start();
  const auto count = clients_max();
  many_clients clients{count};
  const auto before = heap_bytes();
  clients.ask(*this, "GET " + path
                       + " HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n"
                         "User-Agent: a browser of some kind\r\n"
                         "Accept-Encoding: gzip, deflate, br\r\n"
                         "Authorization: Bearer 0123456789abcdef\r\n\r\n");
  wait_until([&] { return static_cast<std::size_t>(log.requests) == count; });
  on_loops([](std::size_t) {});
  const auto each = (heap_bytes() - before) / count;
  MESSAGE(path << ": " << each << " bytes each of " << count);
  CHECK(each <= 1536);
}

#endif
