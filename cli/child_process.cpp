// SPDX-License-Identifier: Apache-2.0
#include "cli/child_process.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace torpor {

namespace {

result<std::pair<descriptor, descriptor>> connected() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return fail_io("socketpair", "to a child", errno);
  return std::pair{descriptor{ends[0]}, descriptor{ends[1]}};
}

/// What a child does first. The parent ends it: a key press, which reaches
/// both, must not do so halfway.
void begin_child() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::signal(SIGINT, SIG_IGN);
}

} // namespace

bool channel::send_bytes(const void* from, std::size_t size) {
  const auto* at = static_cast<const char*>(from);
  while (size > 0) {
    const auto sent = ::send(end_.get(), at, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR)
      continue;
    if (sent <= 0)
      return false;
    at += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

bool channel::receive_bytes(void* into, std::size_t size) {
  auto* at = static_cast<char*>(into);
  while (size > 0) {
    const auto got = ::recv(end_.get(), at, size, 0);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return false;
    at += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

result<child_process>
child_process::copy(const std::function<int(channel&)>& body) {
  auto ends = connected();
  if (!ends)
    return tl::unexpected{ends.error()};
  const auto id = ::fork();
  if (id < 0)
    return fail_io("fork", "a child", errno);
  if (id > 0)
    return child_process{id, channel{std::move(ends->first)}};
  begin_child();
  ends->first.close();
  channel link{std::move(ends->second)};
  ::_exit(body(link));
}

result<child_process>
child_process::rerun(std::vector<std::string> arguments) {
  auto ends = connected();
  if (!ends)
    return tl::unexpected{ends.error()};
  arguments.insert(arguments.begin(), "torpor");
  arguments.push_back(fmt::to_string(ends->second.get()));
  std::vector<char*> pointers;
  for (auto& each : arguments)
    pointers.push_back(each.data());
  pointers.push_back(nullptr);
  const auto id = ::fork();
  if (id < 0)
    return fail_io("fork", "a child", errno);
  if (id > 0)
    return child_process{id, channel{std::move(ends->first)}};
  // Between fork and exec there may be no allocation.
  begin_child();
  ::fcntl(ends->second.get(), F_SETFD, 0);
  ::execv("/proc/self/exe", pointers.data());
  ::_exit(127);
}

void child_process::kill() {
  if (id_ == 0)
    return;
  ::kill(id_, SIGKILL);
  wait();
}

int child_process::wait() {
  int status = 0;
  while (id_ != 0 && ::waitpid(id_, &status, 0) < 0 && errno == EINTR)
    ;
  id_ = 0;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

} // namespace torpor
