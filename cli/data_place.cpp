// SPDX-License-Identifier: Apache-2.0
#include "cli/data_place.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <stdlib.h>

namespace torpor {

namespace {

namespace fs = std::filesystem;

/// Whether `path` is `above` or lies below it.
bool lies_in(const std::string& path, const std::string& above) {
  return above == "/" || path == above || path.starts_with(above + '/');
}

result<void> make_empty(const std::string& path, bool reuse) {
  std::error_code failed;
  fs::create_directories(path, failed);
  if (failed)
    return fail_io("mkdir", path, failed.value());
  const auto empty = fs::is_empty(path, failed);
  if (failed)
    return fail_io("opendir", path, failed.value());
  if (!empty && !reuse)
    return fail(errc::invalid_argument,
                fmt::format("the data directory '{}' is not empty; name a new "
                            "or an empty one",
                            path));
  return {};
}

} // namespace

result<data_place> data_place::choose(const std::string& named, bool reuse) {
  if (!named.empty())
    return make_empty(named, reuse).map([&] {
      return data_place{named, false};
    });
  std::string path = "./torpor-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr)
    return fail_io("mkdtemp", path, errno);
  return data_place{path, true};
}

data_place::~data_place() {
  std::error_code ignored;
  if (temporary_)
    fs::remove_all(path_, ignored);
}

std::string data_place::disk() const {
  std::error_code failed;
  const auto path = fs::canonical(path_, failed).string();
  std::ifstream mounts{"/proc/self/mounts"};
  std::string line;
  std::string longest;
  std::string found = "unknown";
  while (std::getline(mounts, line)) {
    std::string device, point, type;
    std::istringstream{line} >> device >> point >> type;
    // Of mounts over the same point the last one counts.
    if (!lies_in(path, point) || point.size() < longest.size())
      continue;
    longest = point;
    found = fmt::format("{} ({})", device, type);
  }
  return found;
}

std::uint64_t data_place::free_bytes() const {
  std::error_code failed;
  const auto space = fs::space(path_, failed);
  return failed ? 0 : space.available;
}

} // namespace torpor
