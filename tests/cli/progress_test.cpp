// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.hpp"

#include "cli/human.hpp"

#include <doctest/doctest.h>

using namespace torpor;

TEST_CASE("a bar shows the share, the rate and the time that is left") {
  CHECK(progress_line({"import", 50u << 20, 100u << 20, 5}, 60)
        == "import [===========>          ]  50%  10.0 MiB/s  0:05 left");
  CHECK(progress_line({"import", 0, 100, 0}, 60)
        == "import [>                             ]   0%  0 B/s  ? left");
  CHECK(progress_line({"import", 100, 100, 1}, 60)
        == "import [=========================] 100%  100 B/s  0:00 left");
}

TEST_CASE("a bar never gets wider than the terminal or longer than the work") {
  for (std::size_t columns = 0; columns < 120; ++columns) {
    INFO(columns);
    const progress_state half{"import", 5000, 10000, 3};
    CHECK(progress_line(half, columns).size() <= columns);
    const progress_state unknown{"import", 5000, 0, 3};
    CHECK(progress_line(unknown, columns).size() <= columns);
  }
  CHECK(progress_line({"verify", 300, 100, 1}, 80).find("100%")
        != std::string::npos);
}

TEST_CASE("without a total there is no bar") {
  CHECK(progress_line({"import", 3u << 20, 0, 2}, 80)
        == "import 3.0 MiB  1.5 MiB/s");
}

TEST_CASE("figures are short enough to be read") {
  CHECK(human_bytes(0) == "0 B");
  CHECK(human_bytes(1023) == "1023 B");
  CHECK(human_bytes(1536) == "1.5 KiB");
  CHECK(human_bytes(5e18) == "4440.9 PiB");
  CHECK(human_seconds(59.4) == "0:59");
  CHECK(human_seconds(59.6) == "1:00");
  CHECK(human_seconds(3723) == "1:02:03");
  CHECK(human_time(0) == "1970-01-01T00:00:00.000Z");
  CHECK(human_time(1714567890123) == "2024-05-01T12:51:30.123Z");
  CHECK(human_time(-1) == "1969-12-31T23:59:59.999Z");
}
