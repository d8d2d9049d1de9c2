// SPDX-License-Identifier: Apache-2.0
#include "runtime/process_limits.hpp"

#include <fmt/format.h>

#include <exception>
#include <latch>
#include <limits>
#include <thread>
#include <vector>

#include <sys/resource.h>

namespace torpor {

namespace {

constexpr auto unbounded = std::numeric_limits<std::uint64_t>::max();

std::uint64_t bound_of(__rlimit_resource resource) noexcept {
  struct ::rlimit bound {};
  if (::getrlimit(resource, &bound) != 0 || bound.rlim_cur == RLIM_INFINITY)
    return unbounded;
  return bound.rlim_cur;
}

} // namespace

result<void> check_threads(std::size_t wanted, std::string_view who,
                           std::string_view option) {
  std::latch all_started{1};
  std::vector<std::jthread> started;
  started.reserve(wanted);
  try {
    while (started.size() < wanted)
      started.emplace_back([&all_started] { all_started.wait(); });
  } catch (const std::exception&) { // Also for want of memory.
    // There is one less than wanted, or fewer.
  }
  all_started.count_down();
  if (started.size() == wanted)
    return {};
  return fail(errc::io_failed,
              fmt::format("{} needs {} threads and this process can start {}; "
                          "raise the limit (ulimit -u, TasksMax=, pids.max) or "
                          "lower {}",
                          who, wanted, started.size(), option));
}

std::uint64_t address_space_max() noexcept {
  return bound_of(RLIMIT_AS);
}

std::uint64_t file_size_max() noexcept {
  return bound_of(RLIMIT_FSIZE);
}

result<void> check_address_space(std::uint64_t bytes_max) {
  constexpr std::uint64_t mib = 1u << 20;
  constexpr std::uint64_t least = 1024 * mib;
  if (bytes_max >= least)
    return {};
  return fail(errc::io_failed,
              fmt::format("the address space is limited to {} MiB and a store "
                          "needs {}; raise the limit (ulimit -v, LimitAS=)",
                          bytes_max / mib, least / mib));
}

} // namespace torpor
