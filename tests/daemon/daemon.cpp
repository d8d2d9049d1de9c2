// SPDX-License-Identifier: Apache-2.0
#include "tests/daemon/daemon.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace torpor::test {

namespace {

/// Starts a program that dies with this thread.
pid_t start_program(const std::string& program,
                    std::vector<std::string> arguments,
                    const std::string& log) {
  arguments.insert(arguments.begin(), program);
  std::vector<char*> pointers;
  for (auto& each : arguments)
    pointers.push_back(each.data());
  pointers.push_back(nullptr);
  const auto child = ::fork();
  if (child < 0)
    throw std::runtime_error{"no process"};
  if (child > 0)
    return child;
  // Between fork and exec there may be no allocation.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const auto to = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                         0644);
  ::dup2(to, STDOUT_FILENO);
  ::dup2(to, STDERR_FILENO);
  ::execv(program.c_str(), pointers.data());
  ::_exit(127);
}

/// The status as `waitpid` gives it.
int await_end(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR)
    ;
  return status;
}

int exit_code(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string text_of(const std::string& path, std::size_t from) {
  std::ifstream file{path};
  file.seekg(static_cast<std::streamoff>(from));
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

} // namespace

daemon::daemon(std::string program, std::vector<std::string> arguments,
               std::string log)
  : program_(std::move(program)),
    arguments_(std::move(arguments)),
    log_(std::move(log)) {
  arguments_.emplace_back("--torpor.http.port=0");
}

void daemon::launch() {
  log_from_ = std::filesystem::exists(log_) ? std::filesystem::file_size(log_)
                                            : 0;
  id_ = start_program(program_, arguments_, log_);
}

void daemon::await_open() {
  using clock = std::chrono::steady_clock;
  const auto end = clock::now() + std::chrono::seconds{20};
  while (!is_open()) {
    if (::waitpid(id_, nullptr, WNOHANG) == id_) {
      id_ = 0;
      throw std::runtime_error{"torpord does not start: "
                               + text_of(log_, log_from_)};
    }
    if (clock::now() > end)
      throw std::runtime_error{"torpord does not open in 20 s"};
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
}

/// Whether its log says where it listens.
bool daemon::is_open() {
  const auto said = text_of(log_, log_from_);
  constexpr std::string_view mark = "listening address=127.0.0.1 port=";
  const auto at = said.find(mark);
  if (at == said.npos || said.find('\n', at) == said.npos)
    return false;
  const auto port = std::stoul(said.substr(at + mark.size()));
  place_.url = parse_http_url(fmt::format("http://127.0.0.1:{}", port)).value();
  return true;
}

daemon::~daemon() {
  if (id_ == 0)
    return;
  ::kill(id_, SIGKILL);
  await_end(id_);
}

void daemon::kill() {
  ::kill(id_, SIGKILL);
  const auto status = await_end(std::exchange(id_, 0));
  if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
    throw std::runtime_error{"torpord ends before it is killed: "
                             + text_of(log_, log_from_)};
}

int daemon::stop() {
  ::kill(id_, SIGTERM);
  return exit_code(await_end(std::exchange(id_, 0)));
}

int run_program(const std::string& program, std::vector<std::string> arguments,
                const std::string& log) {
  return exit_code(await_end(start_program(program, std::move(arguments), log)));
}

} // namespace torpor::test
