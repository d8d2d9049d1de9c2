// SPDX-License-Identifier: Apache-2.0
// A fleet of devices, each with a stream of its own: every device reports once
// a second, then all fall silent. Shows what a stream costs, awake and dormant.
//
//   example_fleet [--devices N] [--seconds N] [DIRECTORY]
#include "examples/scratch_directory.hpp"
#include "torpor/torpor.hpp"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <thread>
#include <vector>

#include <malloc.h>
#include <unistd.h>

namespace {

using clock_type = std::chrono::steady_clock;

struct arguments {
  std::uint64_t devices = 100'000;
  std::uint64_t seconds = 10;
  std::string directory;
};

/// What this process holds in memory of its own, in bytes: without files that
/// it maps, whose pages the kernel takes back when it needs them.
std::uint64_t memory() {
  ::malloc_trim(0); // What was freed does not count.
  std::ifstream status{"/proc/self/status"};
  std::string word;
  std::uint64_t kib = 0;
  while (status >> word && word != "RssAnon:")
    ;
  status >> kib;
  return kib << 10;
}

double seconds_since(clock_type::time_point start) {
  return std::chrono::duration<double>(clock_type::now() - start).count();
}

/// On a terminal one line that is written anew.
void show_status(const torpor::runtime& store, double seconds,
                 std::uint64_t unanswered) {
  const auto now = store.stats();
  std::cout << static_cast<int>(seconds) << " s: " << now.appends
            << " entries, " << unanswered << " on their way, " << now.awake
            << " streams awake, " << now.commits << " commits   "
            << (::isatty(STDOUT_FILENO) != 0 ? '\r' : '\n') << std::flush;
}

/// Every device reports once a second, one after the other. Returns how many
/// appends failed.
std::uint64_t report(const torpor::runtime& store, const arguments& given) {
  std::vector<torpor::stream> devices;
  for (std::uint64_t i = 0; i < given.devices; ++i)
    devices.push_back(store.stream("device/" + std::to_string(i)));
  std::atomic<std::uint64_t> failed{0};
  torpor::appender out{store, {},
                       [&failed](std::uint64_t, const torpor::write_outcome&,
                                 const torpor::error* why) {
                         if (why != nullptr)
                           ++failed;
                       }};
  const auto start = clock_type::now();
  const auto all = given.devices * given.seconds;
  for (std::uint64_t i = 0; i < all; ++i) {
    const auto due = static_cast<double>(i) / static_cast<double>(given.devices);
    while (seconds_since(start) < due)
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    out.append(devices[i % given.devices],
               torpor::as_bytes("temperature=21.4 humidity=43 battery=97"));
    if (i % given.devices == given.devices / 2)
      show_status(store, seconds_since(start), out.in_flight());
  }
  out.wait();
  show_status(store, seconds_since(start), out.in_flight());
  std::cout << '\n';
  return failed;
}

/// `bytes`: what the process holds more than with an empty store.
void show_costs(const char* when, const torpor::runtime_stats& now,
                std::uint64_t streams, std::uint64_t bytes) {
  std::cout << when << ": " << streams - now.awake << " streams dormant, "
            << now.awake << " awake, " << now.records << " records in memory: "
            << bytes / 1024 << " KiB, " << bytes / streams
            << " bytes a stream\n";
}

int complain(const torpor::error& why) {
  std::cerr << to_string(why) << '\n';
  return 1;
}

int run(const arguments& given) {
  torpor::options options;
  options.data_dir = given.directory;
  auto store = torpor::runtime::open(options);
  if (!store)
    return complain(store.error());
  const auto empty = memory();
  if (const auto failed = report(*store, given); failed > 0) {
    std::cerr << failed << " appends failed\n";
    return 1;
  }
  const auto now = store->stats();
  show_costs("after the last report", now, given.devices, memory() - empty);

  store->close();
  const auto start = clock_type::now();
  store = torpor::runtime::open(options);
  if (!store)
    return complain(store.error());
  const auto took = seconds_since(start);
  show_costs("after a restart", store->stats(), given.devices,
             memory() - empty);
  std::cout << "  opening took " << static_cast<int>(took * 1000) << " ms\n";
  return 0;
}

/// False when the arguments make no sense.
bool parse(int argc, char** argv, arguments& into) {
  for (int i = 1; i < argc; ++i) {
    const std::string each = argv[i];
    if (each == "--devices" && i + 1 < argc)
      into.devices = std::strtoull(argv[++i], nullptr, 10);
    else if (each == "--seconds" && i + 1 < argc)
      into.seconds = std::strtoull(argv[++i], nullptr, 10);
    else if (each.starts_with("-"))
      return false;
    else
      into.directory = each;
  }
  return into.devices > 0 && into.seconds > 0;
}

} // namespace

int main(int argc, char** argv) {
  arguments given;
  if (!parse(argc, argv, given)) {
    std::cerr << "usage: example_fleet [--devices N] [--seconds N] "
                 "[DIRECTORY]\n";
    return 2;
  }
  const scratch_directory place{given.directory};
  given.directory = place.path();
  return run(given);
}
