// SPDX-License-Identifier: Apache-2.0
// Gives a fuzzer the inputs in files, one after another, without libFuzzer.
#include "tests/fuzz/fuzz_input.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;

constexpr auto help = R"(usage: fuzz-replay-NAME FILE|DIRECTORY...

Gives the fuzzer NAME the input in each FILE, and in each file of each DIRECTORY.
Says which on standard error, so that the last line names the one it died of.
Exit status: 0 all is well, 1 there was nothing to read; a finding aborts.
)";

std::vector<fs::path> files_in(const fs::path& place) {
  if (!fs::is_directory(place))
    return {place};
  std::vector<fs::path> files;
  for (const auto& each : fs::directory_iterator{place})
    if (each.is_regular_file())
      files.push_back(each.path());
  std::sort(files.begin(), files.end());
  return files;
}

bool replay(const fs::path& file) {
  std::fprintf(stderr, "%s\n", file.c_str());
  std::ifstream input{file, std::ios::binary};
  const std::vector<char> bytes{std::istreambuf_iterator<char>{input}, {}};
  if (!input) {
    std::fprintf(stderr, "%s cannot be read\n", file.c_str());
    return false;
  }
  // Of that size exactly: a sanitizer sees who reads behind the end.
  const auto exact = std::make_unique<std::uint8_t[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), exact.get());
  LLVMFuzzerTestOneInput(exact.get(), bytes.size());
  return true;
}

} // namespace

int main(int count, char** arguments) {
  std::size_t replayed = 0;
  for (const std::string_view argument :
       std::vector<std::string_view>{arguments + 1, arguments + count}) {
    if (argument == "--help" || argument == "-h") {
      std::fputs(help, stdout);
      return 0;
    }
    if (!fs::exists(argument)) {
      std::fprintf(stderr, "there is no '%s'\n", argument.data());
      return 1;
    }
    for (const auto& file : files_in(argument)) {
      if (!replay(file))
        return 1;
      ++replayed;
    }
  }
  if (replayed == 0)
    std::fputs("nothing to replay: no inputs were found\n", stderr);
  return replayed > 0 ? 0 : 1;
}
