// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_run.hpp"

#include "cli/human.hpp"
#include "cli/interrupt.hpp"

#include <fmt/format.h>

#include <thread>

namespace torpor {

namespace {

/// Of the second burst, until the kill.
constexpr double crash_after_s = 1.5;
/// How long the quiet process is watched, and how long before it is left
/// alone: the journal marks its end after a second of silence.
constexpr std::chrono::milliseconds quiet_time{3000};
constexpr std::chrono::milliseconds settle_time{1300};
/// Rates over less than this mean nothing.
constexpr double shown_after_s = 0.25;

std::string number(std::uint64_t value) {
  return grouped(static_cast<double>(value));
}

tl::unexpected<error> store_is_gone() {
  return fail(errc::shut_down, interrupted()
                                 ? "interrupted"
                                 : "the store's process ended unexpectedly");
}

} // namespace

result<void> demo_run::run() {
  return start()
    .and_then([&](const demo_start&) { return create(); })
    .and_then([&] { return append(); })
    .and_then([&] { return hibernate(); })
    .and_then([&] { return watch_quiet(); })
    .and_then([&] { return crash(); })
    .and_then([&] { return restart(); })
    .and_then([&] { return check(); });
}

result<demo_start> demo_run::start() {
  auto started = child_process::copy([this](channel& link) {
    return run_demo_store(world_, link);
  });
  if (!started)
    return tl::unexpected{started.error()};
  store_.emplace(std::move(*started));
  return store_->link().receive<demo_start>();
}

result<void> demo_run::create() {
  if (!ask(demo_command::create))
    return store_is_gone();
  return store_->link().receive<double>().map([&](double seconds) {
    screen_.say("create", fmt::format("{} streams in {:.1f} s, durably",
                                      number(world_.streams), seconds));
    figures_.add("create_s", seconds);
  });
}

result<runtime_stats> demo_run::ask_stats(demo_command command) {
  runtime_stats stats;
  if (!ask(command) || !store_->link().receive(stats) || interrupted())
    return store_is_gone();
  if (stats.failed || stats.full)
    return fail(errc::io_failed, "the store cannot write any more: see above");
  return stats;
}

result<store_look> demo_run::look() {
  return ask_stats(demo_command::stats).map([&](const runtime_stats& stats) {
    return store_look{steady::now(), stats, world_.log.answers()};
  });
}

result<store_rates> demo_run::burst(double seconds, std::size_t requests_max) {
  const auto first = look();
  if (!first || !ask(demo_command::burst))
    return store_is_gone();
  auto last = *first;
  while (seconds_since(first->when) < seconds
         && world_.log.size() < requests_max) {
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
    if (!screen_.due() || seconds_since(last.when) < shown_after_s)
      continue;
    const auto now = look();
    if (!now)
      return tl::unexpected{now.error()};
    screen_.show(burst_line(world_.streams, now->stats,
                            store_rates::between(last, *now),
                            read_process_stats(store_->id())));
    last = *now;
  }
  return look().map([&](const store_look& end) {
    return store_rates::between(*first, end);
  });
}

result<void> demo_run::append() {
  // A part of the log is kept for the second burst.
  const auto rates = burst(seconds_, world_.log.capacity() / 4 * 3);
  if (!rates)
    return tl::unexpected{rates.error()};
  const auto process = read_process_stats(store_->id());
  screen_.say("append",
              fmt::format("{} appends/s for {:.1f} s, each acknowledged when "
                          "it was durable",
                          grouped(rates->appends_per_s), rates->seconds));
  screen_.say("", fmt::format("{} commits/s of {:.0f} entries; {} and {} "
                              "threads",
                              grouped(rates->commits_per_s),
                              rates->entries_per_commit,
                              human_bytes(static_cast<double>(
                                process.rss_bytes)),
                              process.threads));
  figures_.add("append_s", rates->seconds)
    .add("appends_per_s", rates->appends_per_s)
    .add("commits_per_s", rates->commits_per_s)
    .add("entries_per_commit", rates->entries_per_commit)
    .add("rss_bytes", process.rss_bytes)
    .add("threads", std::uint64_t{process.threads});
  return {};
}

result<void> demo_run::hibernate() {
  const auto begin = steady::now();
  const auto stats = ask_stats(demo_command::rest);
  if (!stats)
    return tl::unexpected{stats.error()};
  const auto ms = seconds_since(begin) * 1e3;
  screen_.say("hibernate", fmt::format("all {} streams dormant, {:.0f} ms "
                                       "after the last append",
                                       number(world_.streams), ms));
  figures_.add("hibernate_ms", ms);
  return {};
}

result<void> demo_run::watch_quiet() {
  screen_.show("watching the quiet process");
  std::this_thread::sleep_for(settle_time);
  const auto begin = steady::now();
  const auto before = read_process_stats(store_->id());
  std::this_thread::sleep_for(quiet_time);
  const auto after = read_process_stats(store_->id());
  if (after.threads == 0 || interrupted())
    return store_is_gone();
  const auto seconds = seconds_since(begin);
  const auto cpu = static_cast<double>(after.cpu_ns - before.cpu_ns) / 1e7
                   / seconds;
  const auto wakeups = static_cast<double>(after.wakeups - before.wakeups)
                       / seconds;
  screen_.say("quiet", fmt::format("{:.3f} % of a core, {:.1f} wake-ups/s, {}, "
                                   "{} threads, {} descriptors",
                                   cpu, wakeups,
                                   human_bytes(static_cast<double>(
                                     after.rss_bytes)),
                                   after.threads, after.descriptors));
  figures_.add("quiet_cpu_percent", cpu)
    .add("quiet_wakeups_per_s", wakeups)
    .add("quiet_rss_bytes", after.rss_bytes)
    .add("quiet_fds", std::uint64_t{after.descriptors});
  return {};
}

result<void> demo_run::crash() {
  if (const auto seen = burst(crash_after_s, world_.log.capacity()); !seen)
    return tl::unexpected{seen.error()};
  store_->kill();
  screen_.say("crash", fmt::format("kill -9 in the middle of a second burst, "
                                   "after {} appends in all",
                                   number(world_.log.size())));
  return {};
}

result<void> demo_run::restart() {
  screen_.show("starting again");
  return start().map([&](const demo_start& started) {
    screen_.say("restart", fmt::format("open after {:.0f} ms, {} entries "
                                       "replayed",
                                       started.ms,
                                       number(started.replayed_entries)));
    figures_.add("restart_ms", started.ms)
      .add("replayed_entries", started.replayed_entries);
  });
}

result<void> demo_run::check() {
  screen_.show("reading everything back");
  const auto begin = steady::now();
  if (!ask(demo_command::prove))
    return store_is_gone();
  const auto answer = store_->link().receive<proof_figures>();
  if (!answer)
    return tl::unexpected{answer.error()};
  const auto seconds = seconds_since(begin);
  if (ask(demo_command::close))
    store_->wait();
  const auto& found = *answer;
  proved_ = found.holds() && found.acknowledged > 0;
  screen_.say("proof", fmt::format("{} of {} acknowledged entries are there "
                                   "with identical bytes",
                                   number(found.verified),
                                   number(found.acknowledged)));
  screen_.say("", fmt::format("{} streams and {} read back in {:.1f} s; {} "
                              "gaps, {} duplicates, {} foreign",
                              number(found.streams),
                              human_bytes(static_cast<double>(
                                found.verified_bytes)),
                              seconds, found.gaps, found.duplicates,
                              found.foreign));
  screen_.say("", fmt::format("of {} appends without an answer {} are there, "
                              "whole, the others are not",
                              number(found.unanswered), number(found.kept)));
  if (!proved_)
    screen_.say("", fmt::format("NOT PROVED: {} missing, {} with other bytes",
                                number(found.missing),
                                number(found.different)));
  figures_.add("acknowledged", found.acknowledged)
    .add("verified", found.verified)
    .add("verified_bytes", found.verified_bytes)
    .add("read_back_s", seconds)
    .add("unanswered", found.unanswered)
    .add("unanswered_kept", found.kept)
    .add("missing", found.missing)
    .add("different", found.different)
    .add("gaps", found.gaps)
    .add("duplicates", found.duplicates)
    .add("foreign", found.foreign)
    .add("proved", proved_);
  return {};
}

} // namespace torpor
