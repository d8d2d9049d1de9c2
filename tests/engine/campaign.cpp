// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/campaign.hpp"

#include "tests/engine/driver.hpp"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <thread>

#include <unistd.h>

namespace torpor::test {

namespace {

/// A run of so many seeds has everything.
constexpr std::uint64_t long_run = 1000;

/// The number at the start of a text, and what comes behind it.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc{})
    return {};
  text = {parsed.ptr, end};
  return number;
}

std::optional<std::vector<std::uint64_t>> read_seeds(const std::string& path) {
  std::ifstream file{path};
  std::vector<std::uint64_t> seeds;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#')
      continue;
    std::string_view rest{line};
    const auto seed = take_number(rest);
    if (!seed)
      return {};
    seeds.push_back(*seed);
  }
  return file.eof() && !seeds.empty() ? std::optional{std::move(seeds)}
                                      : std::nullopt;
}

} // namespace

// -- seeds --------------------------------------------------------------------

std::optional<seed_list> seed_list::parse(const std::string& text) {
  seed_list seeds;
  if (text.starts_with('@')) {
    auto single = read_seeds(text.substr(1));
    if (!single)
      return {};
    seeds.single_ = std::move(*single);
    return seeds;
  }
  std::string_view rest{text};
  const auto first = take_number(rest);
  if (!first)
    return {};
  seeds.first_ = seeds.last_ = *first;
  if (rest.empty())
    return seeds;
  if (!rest.starts_with(".."))
    return {};
  rest.remove_prefix(2);
  const auto last = take_number(rest);
  if (!last || !rest.empty() || *last < *first)
    return {};
  seeds.last_ = *last;
  return seeds;
}

std::uint64_t seed_list::size() const {
  return single_.empty() ? last_ - first_ + 1 : single_.size();
}

std::uint64_t seed_list::operator[](std::uint64_t index) const {
  return single_.empty() ? first_ + index : single_[index];
}

verdict play(std::uint64_t seed, bool traced) {
  driver one{seed, traced};
  try {
    auto wrong = one.play();
    return {std::move(wrong), one.trace(), one.happened()};
  } catch (const std::exception& thrown) {
    return {fmt::format("exception: {}", thrown.what()), one.trace(), {}};
  }
}

// -- campaign -----------------------------------------------------------------

void campaign::run(unsigned jobs) {
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < jobs; ++i)
    threads.emplace_back([this] { work(); });
  threads.emplace_back([this] { show_progress(); });
}

void campaign::work() {
  while (!ends_) {
    const auto index = next_++;
    if (index >= seeds_.size())
      break;
    const auto seed = seeds_[index];
    auto played = play(seed, twice_);
    if (twice_ && played.wrong.empty()
        && play(seed, true).trace != played.trace)
      played.wrong = "played again it has another trace";
    for (std::size_t i = 0; i < counts_.size(); ++i)
      counts_[i] += played.happened[i] ? 1 : 0;
    ++done_;
    if (!played.wrong.empty())
      fail(seed, played.wrong);
  }
  const std::lock_guard guard{mutex_};
  ++ended_;
  changed_.notify_all();
}

void campaign::fail(std::uint64_t seed, const std::string& wrong) {
  const std::lock_guard guard{mutex_};
  failures_.emplace(seed, wrong);
  ends_ = failures_.size() >= failures_max_;
  fmt::print("{}seed {}: {}\n", ::isatty(STDERR_FILENO) != 0 ? "\r\033[K" : "",
             seed, wrong);
  std::fflush(stdout);
}

std::vector<std::string_view> campaign::missing() const {
  std::vector<std::string_view> names;
  if (done_ < long_run)
    return names;
  for (std::size_t i = 0; i < counts_.size(); ++i)
    if (counts_[i] == 0)
      names.push_back(happening_names[i]);
  return names;
}

/// A line a second, if somebody looks.
void campaign::show_progress() {
  using namespace std::chrono;
  if (::isatty(STDERR_FILENO) == 0)
    return;
  const auto start = steady_clock::now();
  std::unique_lock guard{mutex_};
  while (!changed_.wait_for(guard, 1s, [this] { return ended_ > 0; })) {
    const auto took = duration<double>(steady_clock::now() - start).count();
    const auto rate = static_cast<double>(done_) / took;
    const auto left = static_cast<double>(seeds_.size() - done_) / rate;
    fmt::print(stderr, "\r{} of {} seeds, {:.0f}/s, {:.0f} s left\033[K",
               done_.load(), seeds_.size(), rate, left);
  }
  fmt::print(stderr, "\r\033[K");
}

} // namespace torpor::test
