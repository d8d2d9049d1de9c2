// SPDX-License-Identifier: Apache-2.0
#include "cli/process_stats.hpp"

#include <doctest/doctest.h>

#include <ctime>
#include <memory>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace torpor;

namespace {

struct pipe_ends {
  pipe_ends() { REQUIRE(::pipe(ends) == 0); }
  ~pipe_ends() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  int ends[2];
};

double thread_cpu_ms() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3
         + static_cast<double>(time.tv_nsec) / 1e6;
}

} // namespace

TEST_SUITE("process_stats") {
  TEST_CASE("a status line is found by its whole key") {
    constexpr auto status = "Name:\tVmRSS\nVmRSSX:\t1 kB\nVmRSS:\t   4096 kB\n"
                            "Threads:\t12\nnonvoluntary_ctxt_switches:\t7\n"
                            "voluntary_ctxt_switches:\t3";
    CHECK(status_number(status, "VmRSS") == 4096);
    CHECK(status_number(status, "Threads") == 12);
    CHECK(status_number(status, "voluntary_ctxt_switches") == 3);
    CHECK(status_number(status, "RssShmem") == 0);
    CHECK(status_number("", "Threads") == 0);
    CHECK(status_number("Threads:", "Threads") == 0);
  }

  TEST_CASE("a descriptor that is opened counts as one more") {
    const auto before = read_process_stats().descriptors;
    const auto opened = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK(read_process_stats().descriptors == before + 1);
    ::close(opened);
    CHECK(read_process_stats().descriptors == before);
  }

  TEST_CASE("a thread counts as one more, and each time it blocks as well") {
    pipe_ends pipe;
    const auto before = read_process_stats().threads;
    std::thread blocked{[&] {
      char byte = 0;
      while (::read(pipe.ends[0], &byte, 1) == 1 && byte != 'q')
        ;
    }};
    CHECK(read_process_stats().threads == before + 1);
    // It may find its bytes without blocking, but not every time.
    const auto wakeups = read_process_stats().wakeups;
    while (read_process_stats().wakeups == wakeups)
      REQUIRE(::write(pipe.ends[1], "x", 1) == 1);
    REQUIRE(::write(pipe.ends[1], "q", 1) == 1);
    blocked.join();
  }

  TEST_CASE("CPU time grows by at least what a thread has used") {
    const auto before = read_process_stats().cpu_ns;
    const auto start = thread_cpu_ms();
    while (thread_cpu_ms() - start < 5)
      ;
    CHECK(read_process_stats().cpu_ns - before >= 5'000'000);
  }

  TEST_CASE("memory that is touched counts; shared memory counts apart") {
    constexpr std::size_t bytes = 32u << 20;
    const auto before = read_process_stats();
    const auto touched = [&](int flags) {
      auto* memory = static_cast<char*>(::mmap(
        nullptr, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0));
      REQUIRE(memory != MAP_FAILED);
      for (std::size_t i = 0; i < bytes; i += 4096)
        memory[i] = 1;
      const auto stats = read_process_stats();
      ::munmap(memory, bytes);
      return stats;
    };
    const auto own = touched(MAP_PRIVATE);
    CHECK(own.rss_bytes >= before.rss_bytes + bytes / 2);
    CHECK(own.shared_bytes == before.shared_bytes);
    const auto shared = touched(MAP_SHARED);
    CHECK(shared.shared_bytes >= before.shared_bytes + bytes / 2);
    CHECK(shared.rss_bytes < before.rss_bytes + bytes / 2);
  }

  TEST_CASE("another process is measured until it is gone") {
    pipe_ends pipe;
    const auto child = ::fork();
    if (child == 0) {
      char byte = 0;
      static_cast<void>(::read(pipe.ends[0], &byte, 1) == 1);
      ::_exit(0);
    }
    const auto stats = read_process_stats(child);
    CHECK(stats.threads == 1);
    CHECK(stats.descriptors >= 2);
    CHECK(stats.rss_bytes > 0);
    REQUIRE(::write(pipe.ends[1], "x", 1) == 1);
    ::waitpid(child, nullptr, 0);
    CHECK(read_process_stats(child).threads == 0);
    CHECK(read_process_stats(child).cpu_ns == 0);
  }
}
