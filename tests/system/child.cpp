// SPDX-License-Identifier: Apache-2.0
#include "tests/system/child.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <stdexcept>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace torpor::test {

namespace {

[[noreturn]] void run_and_exit(const std::function<std::string()>& run,
                               int report, std::chrono::seconds limit) {
  ::alarm(static_cast<unsigned>(limit.count()));
  std::string complaint;
  try {
    complaint = run();
  } catch (const std::exception& thrown) {
    complaint = fmt::format("exception: {}", thrown.what());
  }
  const auto written = ::write(report, complaint.data(), complaint.size());
  std::fflush(nullptr);
  ::_exit(written < 0 ? 2 : 0);
}

std::string read_all(int descriptor) {
  std::string all;
  char part[4096];
  for (;;) {
    const auto got = ::read(descriptor, part, sizeof part);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return all;
    all.append(part, static_cast<std::size_t>(got));
  }
}

} // namespace

child_end in_child(const std::function<std::string()>& run,
                   std::optional<std::chrono::microseconds> kill_after,
                   std::chrono::seconds limit) {
  int ends[2];
  if (::pipe(ends) != 0)
    throw std::runtime_error{"no pipe"};
  std::fflush(nullptr);
  const auto child = ::fork();
  if (child < 0)
    throw std::runtime_error{"no process"};
  if (child == 0) {
    ::close(ends[0]);
    run_and_exit(run, ends[1], limit);
  }
  ::close(ends[1]);
  if (kill_after) {
    pollfd ended{ends[0], POLLIN, 0};
    const timespec span{kill_after->count() / 1'000'000,
                        kill_after->count() % 1'000'000 * 1000};
    if (::ppoll(&ended, 1, &span, nullptr) <= 0)
      ::kill(child, SIGKILL);
  }
  child_end end;
  end.complaint = read_all(ends[0]);
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR)
    ;
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0 && end.complaint.empty())
    end.complaint = fmt::format("ends with exit code {}", WEXITSTATUS(status));
  if (!WIFSIGNALED(status))
    return end;
  end.killed = WTERMSIG(status) == SIGKILL;
  if (WTERMSIG(status) == SIGALRM)
    end.complaint = fmt::format("hangs: not done after {} s", limit.count());
  else if (!end.killed)
    end.complaint = fmt::format("dies of signal {}", WTERMSIG(status));
  return end;
}

} // namespace torpor::test
