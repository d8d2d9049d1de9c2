// SPDX-License-Identifier: Apache-2.0
#include "cli/process_stats.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <unistd.h>

namespace torpor {

namespace {

namespace fs = std::filesystem;

std::string read_text(const fs::path& path) {
  std::ifstream in{path};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// Calls with every path in a directory; entries may vanish meanwhile.
template <class Visit>
void for_each_in(const fs::path& directory, Visit visit) {
  std::error_code failed;
  fs::directory_iterator each{directory, failed};
  for (; !failed && each != fs::directory_iterator{}; each.increment(failed))
    visit(each->path());
}

/// Counts in ns, where /proc counts in hundredths of a second.
std::uint64_t cpu_ns(pid_t process) {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(process, &clock) != 0
      || ::clock_gettime(clock, &time) != 0)
    return 0;
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000
         + static_cast<std::uint64_t>(time.tv_nsec);
}

} // namespace

std::uint64_t status_number(std::string_view status, std::string_view key) {
  while (!status.empty()) {
    const auto line = status.substr(0, status.find('\n'));
    status.remove_prefix(std::min(line.size() + 1, status.size()));
    if (!line.starts_with(key) || !line.substr(key.size()).starts_with(':'))
      continue;
    const auto digits = line.find_first_of("0123456789", key.size());
    std::uint64_t number = 0;
    if (digits != std::string_view::npos)
      std::from_chars(line.data() + digits, line.data() + line.size(), number);
    return number;
  }
  return 0;
}

process_stats read_process_stats(pid_t process) {
  const auto own = process == 0 || process == ::getpid();
  const fs::path directory{own ? std::string{"/proc/self"}
                               : fmt::format("/proc/{}", process)};
  process_stats stats;
  stats.cpu_ns = cpu_ns(own ? 0 : process);
  const auto status = read_text(directory / "status");
  stats.shared_bytes = status_number(status, "RssShmem") << 10;
  stats.rss_bytes = (status_number(status, "VmRSS") << 10) - stats.shared_bytes;
  stats.threads
    = static_cast<std::uint32_t>(status_number(status, "Threads"));
  for_each_in(directory / "task", [&](const fs::path& task) {
    stats.wakeups += status_number(read_text(task / "status"),
                                   "voluntary_ctxt_switches");
  });
  for_each_in(directory / "fd",
              [&](const fs::path&) { ++stats.descriptors; });
  if (own)
    --stats.descriptors; // The one that lists them.
  return stats;
}

std::uint64_t thread_cpu_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000
         + static_cast<std::uint64_t>(time.tv_nsec);
}

} // namespace torpor
