// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/scripted_store.hpp"

#include "runtime/segment_files.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace torpor::test {

/// Outlives whoever may still give a batch back.
class scripted_store::answer final : public write_sink {
public:
  void done(std::unique_ptr<write_batch> batch) override {
    code = batch->outcome(0).code;
  }
  std::optional<errc> code;
};

scripted_store::scripted_store() : simulated_store(1) {
  config.segments.compression = 0;
}

scripted_store::~scripted_store() {
  kill();
}

void scripted_store::must_open() {
  const auto opened = open();
  REQUIRE_MESSAGE(opened, to_string(opened.error()));
  run();
}

errc scripted_store::write(std::unique_ptr<write_batch> batch,
                           const std::string& stream) {
  auto& into = *answers_.emplace_back(std::make_unique<answer>());
  batch->sink(&into);
  running().submit(running().shard({{}, stream}), std::move(batch));
  run();
  return into.code.value_or(errc::shut_down);
}

bool scripted_store::append(const std::string& stream, std::size_t bytes,
                            std::size_t count) {
  std::vector<std::string> payloads;
  auto batch = std::make_unique<write_batch>();
  batch->append({{}, stream}, {});
  for (std::size_t i = 0; i < count; ++i) {
    auto& payload = payloads.emplace_back(
      fmt::format("{}/{}/", stream, appended_++));
    payload.resize(std::max(payload.size(), bytes), 'x');
    batch->add(as_bytes(payload));
  }
  const auto done = write(std::move(batch), stream) == errc{};
  auto& known = known_[stream];
  if (done)
    known.kept.insert(known.kept.end(), payloads.begin(), payloads.end());
  else
    known.unknown.insert(payloads.begin(), payloads.end());
  return done;
}

bool scripted_store::append_until(const std::function<bool()>& reached) {
  auto refused = 0;
  for (int i = 0; i < 200 && refused < 4; ++i) {
    if (reached())
      return true;
    if (append(fmt::format("fill/{}", i % 3), 6000)) {
      refused = 0;
      continue;
    }
    ++refused;
    advance(2000); // A full disk is asked again.
    run();
  }
  return reached();
}

bool scripted_store::append_until_sealed(std::uint64_t segments) {
  return append_until([&] { return state().next_segment > segments; });
}

bool scripted_store::truncate(const std::string& stream, std::uint64_t before) {
  auto batch = std::make_unique<write_batch>();
  batch->truncate({{}, stream}, sequence{before});
  if (write(std::move(batch), stream) != errc{})
    return false;
  auto& known = known_[stream];
  known.kept.erase(known.kept.begin(),
                   known.kept.begin()
                     + static_cast<std::ptrdiff_t>(before - known.first));
  known.first = before;
  return true;
}

bool scripted_store::remove(const std::string& stream) {
  auto batch = std::make_unique<write_batch>();
  batch->control(write_kind::remove, {{}, stream});
  if (write(std::move(batch), stream) != errc{})
    return false;
  known_.erase(stream);
  removed_.insert(stream);
  return true;
}

std::string scripted_store::check_stream(const std::string& name,
                                         const known_stream& known) {
  auto unknown = known.unknown;
  std::size_t found = 0;
  read_options wanted;
  wanted.from = sequence{known.first};
  for (;;) {
    const auto page = read({{}, name}, wanted);
    if (!page)
      return fmt::format("'{}': {}", name, to_string(page.error()));
    for (const auto& entry : page->entries) {
      const std::string payload{as_text(entry.payload)};
      if (found < known.kept.size() && payload == known.kept[found])
        ++found;
      else if (unknown.erase(payload) == 0)
        return fmt::format("'{}': entry {} is '{}'", name, raw(entry.seq),
                           payload.substr(0, 20));
    }
    if (page->next_from == page->next)
      break;
    wanted.from = page->next_from;
  }
  if (found < known.kept.size())
    return fmt::format("'{}': {} of {} entries are lost", name,
                       known.kept.size() - found, known.kept.size());
  if (known.first == 0)
    return {};
  wanted.from = sequence{known.first - 1};
  if (const auto gone = read({{}, name}, wanted);
      gone || gone.error().code != errc::out_of_range)
    return fmt::format("'{}': a truncated entry is back", name);
  return {};
}

std::string scripted_store::check_entries() {
  for (const auto& [name, known] : known_)
    if (!known.kept.empty())
      if (auto wrong = check_stream(name, known); !wrong.empty())
        return wrong;
  for (const auto& name : removed_)
    if (const auto gone = read({{}, name}, {});
        gone || gone.error().code != errc::not_found)
      return fmt::format("'{}' was deleted and is back", name);
  const auto broken = disk->violations();
  return broken.empty() ? std::string{} : broken.front();
}

std::string scripted_store::check_files() {
  const auto now = state();
  std::set<std::string> listed;
  for (const auto& each : now.segments)
    listed.insert(segment_file_name(each.number));
  const auto names = disk->list(segment_directory(config.data_dir)).value();
  for (const auto& name : names)
    if (listed.erase(name) == 0)
      return fmt::format("'{}' is an orphan", name);
  if (!listed.empty())
    return fmt::format("'{}' is missing", *listed.begin());
  const auto& journal = running().opened().journal;
  const auto files = list_journal_files(*disk, journal).value();
  if (!files.unfinished.empty())
    return fmt::format("'{}' is left", files.unfinished.front());
  const auto sealed = std::count_if(
    files.numbers.begin(), files.numbers.end(),
    [&](auto number) { return number < now.unsealed_first; });
  if (sealed > 1)
    return fmt::format("{} sealed journal files are left", sealed);
  return {};
}

std::string scripted_store::check_works_on() {
  const auto before = state();
  const auto sealed = append_until(
    [&] { return state().unsealed_first > before.unsealed_first; });
  return sealed ? check_entries() : "it seals no more";
}

std::string scripted_store::check_all() {
  const auto first = [](std::string a, const auto&... rest) {
    (..., (a = a.empty() ? rest() : a));
    return a;
  };
  const auto entries = [this] { return check_entries(); };
  const auto files = [this] { return check_files(); };
  const auto work = [this] { return check_works_on(); };
  auto wrong = first(entries(), files, work);
  if (!wrong.empty())
    return wrong;
  kill();
  disk->restart();
  if (auto opened = open(); !opened)
    return "the next opening: " + to_string(opened.error());
  run();
  return first(entries(), files);
}

std::uint64_t scripted_store::bytes_on_disk() {
  std::uint64_t bytes = 0;
  for (const auto& directory : {journal_directory(config.data_dir),
                                segment_directory(config.data_dir)}) {
    const auto names = disk->list(directory).value();
    for (const auto& name : names)
      bytes += disk->open(directory + "/" + name, open_mode::read)
                 .value()
                 ->size()
                 .value();
  }
  return bytes;
}

std::uint64_t scripted_store::bytes_alive() const {
  std::uint64_t bytes = 0;
  for (const auto& [name, known] : known_)
    for (const auto& payload : known.kept)
      bytes += payload.size();
  return bytes;
}

} // namespace torpor::test
