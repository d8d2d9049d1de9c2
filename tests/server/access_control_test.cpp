// SPDX-License-Identifier: Apache-2.0
#include "server/access_control.hpp"

#include "tests/support/scratch_directory.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

namespace torpor {

namespace {

struct fixture {
  test::scratch_directory directory;
  std::string path = directory.path() + "/tokens";

  void write(const std::string& text, ::mode_t mode = 0600) const {
    std::ofstream{path} << text;
    ::chmod(path.c_str(), mode);
  }

  static std::string line(const std::string& token) {
    return "read * " + to_text(sha256(token)) + "\n";
  }

  [[nodiscard]] std::string refusal() const {
    const auto read = load_access(path);
    REQUIRE(!read);
    return read.error().context;
  }
};

verdict of(const access_list& list, const std::string& token) {
  return list.judge("Bearer " + token, access_verb::read, "a");
}

} // namespace

TEST_SUITE_BEGIN("access_control");

TEST_CASE_FIXTURE(fixture, "a file that others could read or change is "
                           "refused, with the remedy") {
  for (const ::mode_t mode : {0604u, 0602u, 0620u, 0666u, 0601u}) {
    write(line("t"), mode);
    CHECK(refusal().find("chmod 600 '" + path + "'") != std::string::npos);
  }
  for (const ::mode_t mode : {0600u, 0640u, 0400u, 0440u}) {
    write(line("t"), mode);
    CHECK(load_access(path));
    ::unlink(path.c_str());
  }
}

TEST_CASE_FIXTURE(fixture, "what is no regular file is refused") {
  CHECK(refusal().find("No such file") != std::string::npos);
  ::mkfifo(path.c_str(), 0600);
  CHECK(refusal().find("is no regular file") != std::string::npos);
  path = directory.path();
  CHECK(refusal().find("is no regular file") != std::string::npos);
}

TEST_CASE_FIXTURE(fixture, "a bad line is named with its file") {
  write(line("t") + "what\n");
  CHECK(refusal().starts_with(path + ":2: expected verbs"));
}

TEST_CASE_FIXTURE(fixture, "too much is refused") {
  write(std::string((16u << 20) + 1, '\n'));
  CHECK(refusal().find("more than 16 MiB") != std::string::npos);
}

TEST_CASE_FIXTURE(fixture, "a view sees the list that was read last") {
  write(line("old"));
  access_control control{path, *load_access(path)};
  access_view view{control};
  CHECK(of(view.list(), "old") == verdict::allowed);
  write(line("new"));
  REQUIRE(control.reload());
  CHECK(of(view.list(), "old") == verdict::unauthorized);
  CHECK(of(view.list(), "new") == verdict::allowed);
}

TEST_CASE_FIXTURE(fixture, "a bad file changes nothing") {
  write(line("old"));
  access_control control{path, *load_access(path)};
  access_view view{control};
  write(line("new") + "what\n");
  CHECK(!control.reload());
  CHECK(of(view.list(), "old") == verdict::allowed);
  CHECK(of(view.list(), "new") == verdict::unauthorized);
}

TEST_SUITE_END();

} // namespace torpor
