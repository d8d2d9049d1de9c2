// SPDX-License-Identifier: Apache-2.0
#include "cli/load_generator.hpp"

#include "actors/engine.hpp"
#include "cli/process_stats.hpp"

#include <algorithm>
#include <limits>

namespace torpor {

namespace {

/// A store that is full gets time to write.
constexpr std::chrono::milliseconds pause{1};

constexpr auto never = std::numeric_limits<std::int64_t>::max();

std::int64_t ns(flight::clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
           time.time_since_epoch())
    .count();
}

} // namespace

struct load_generator::producer {
  producer(load_generator& of, engine& store, const load_options& how,
           std::uint64_t share, std::unique_ptr<load_source> from)
    : owner(of), in_flight(share), source(std::move(from)),
      sender(store, how.batch_max) {
    options.ack = how.ack;
  }

  void run();
  void append(std::uint64_t count);
  void answered(const flight& back);
  void refused(const flight& back, std::size_t index);
  [[nodiscard]] bool measured(const flight& back) const;

  load_generator& owner;
  std::uint64_t in_flight;
  append_options options;
  std::unique_ptr<load_source> source;
  batch_sender sender;
  bool overloaded = false;
  bool ended = false; ///< Nothing more to append, or a failure.
  std::atomic<std::uint64_t> acknowledged{0};
  latency_histogram latencies;
  std::uint64_t errors = 0;
  std::uint64_t cpu_ns = 0;
  std::optional<error> failure;
  std::thread thread; ///< Last: it uses all of the above.
};

void load_generator::producer::run() {
  append(in_flight);
  while (sender.under_way() > 0) {
    const auto before = sender.under_way();
    overloaded = false;
    sender.collect([this](const flight& back) { answered(back); });
    if (overloaded)
      std::this_thread::sleep_for(pause);
    append(before - sender.under_way());
  }
  cpu_ns = thread_cpu_ns();
}

void load_generator::producer::append(std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    if (ended || owner.stopping_.load(std::memory_order_relaxed))
      break;
    const auto item = source->next();
    if (!item) {
      ended = true;
      break;
    }
    auto& open = sender.open({item->stream, {}});
    open.batch->append({item->stream, {}}, options, item->tag);
    open.batch->add(item->payload);
    sender.filled(open);
  }
  sender.flush();
}

bool load_generator::producer::measured(const flight& back) const {
  const auto when = ns(back.answered);
  return when >= owner.measure_from_.load(std::memory_order_relaxed)
         && when < owner.measure_to_.load(std::memory_order_relaxed);
}

void load_generator::producer::answered(const flight& back) {
  std::uint64_t good = 0;
  for (std::size_t i = 0; i < back.batch->size(); ++i) {
    if (back.batch->outcome(i).code != errc{}) {
      refused(back, i);
      continue;
    }
    ++good;
    source->acknowledged(back.batch->requests()[i].tag,
                         back.batch->outcome(i));
  }
  acknowledged.store(acknowledged.load(std::memory_order_relaxed) + good,
                     std::memory_order_relaxed);
  if (measured(back) && good > 0)
    latencies.record(
      static_cast<std::uint64_t>(ns(back.answered) - ns(back.sent)), good);
}

void load_generator::producer::refused(const flight& back, std::size_t index) {
  if (measured(back))
    ++errors;
  if (back.batch->outcome(index).code == errc::overloaded) {
    overloaded = true;
    return;
  }
  ended = true;
  if (!failure)
    failure = back.batch->failure(index);
}

load_generator::load_generator(
  engine& store, const load_options& how,
  std::vector<std::unique_ptr<load_source>> sources)
  : measure_from_(never), measure_to_(never) {
  const auto count = sources.size();
  for (std::size_t i = 0; i < count; ++i)
    producers_.push_back(std::make_unique<producer>(
      *this, store, how,
      how.in_flight * (i + 1) / count - how.in_flight * i / count,
      std::move(sources[i])));
  for (auto& each : producers_)
    each->thread = std::thread{[&each = *each] { each.run(); }};
}

load_generator::~load_generator() {
  stop();
}

void load_generator::measure() {
  measure_from_ = ns(flight::clock::now());
}

void load_generator::stop() {
  if (stopping_)
    return;
  measure_to_ = ns(flight::clock::now());
  stopping_ = true;
  for (auto& each : producers_)
    each->thread.join();
}

std::uint64_t load_generator::acknowledged() const {
  std::uint64_t sum = 0;
  for (const auto& each : producers_)
    sum += each->acknowledged.load(std::memory_order_relaxed);
  return sum;
}

double load_generator::seconds() const {
  return static_cast<double>(measure_to_ - measure_from_) / 1e9;
}

latency_histogram load_generator::latencies() const {
  latency_histogram all;
  for (const auto& each : producers_)
    all.merge(each->latencies);
  return all;
}

std::uint64_t load_generator::errors() const {
  std::uint64_t sum = 0;
  for (const auto& each : producers_)
    sum += each->errors;
  return sum;
}

std::uint64_t load_generator::cpu_ns() const {
  std::uint64_t sum = 0;
  for (const auto& each : producers_)
    sum += each->cpu_ns;
  return sum;
}

std::optional<error> load_generator::failure() const {
  for (const auto& each : producers_)
    if (each->failure)
      return each->failure;
  return std::nullopt;
}

} // namespace torpor
