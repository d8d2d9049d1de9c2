// SPDX-License-Identifier: Apache-2.0
#include "tests/damage/life.hpp"

#include "actors/fork.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <random>
#include <stdexcept>

namespace torpor::test {

namespace {

[[noreturn]] void give_up(const std::string& what) {
  throw std::runtime_error{"the store to be damaged: " + what};
}

/// A payload that says whose it is, and letters that no other one has. The rest
/// of a large one takes little room in a segment.
std::string payload_of(const std::string& name, std::size_t at,
                       std::size_t bytes) {
  auto text = fmt::format("{}/{}/", name, at);
  std::minstd_rand random{static_cast<std::uint32_t>(
    std::hash<std::string>{}(text) | 1)};
  while (text.size() < std::min<std::size_t>(bytes, 200))
    text += static_cast<char>('a' + random() % 16);
  text.resize(bytes, 'x'); // A short one is cut: 0 bytes are an entry, too.
  return text;
}

} // namespace

/// Outlives whoever may still give a batch back.
class life::answer final : public write_sink {
public:
  void done(std::unique_ptr<write_batch> batch) override {
    code = batch->outcome(0).code;
    if (code != errc{})
      text = to_string(batch->failure(0));
  }
  std::optional<errc> code;
  std::string text = "no answer";
};

std::shared_ptr<catalog> lived_store::records_at(const moment& when) const {
  std::shared_ptr<catalog> made = make_memory_catalog();
  if (auto done = records->replay(*made, when.updates); !done)
    give_up(to_string(done.error()));
  return made;
}

life::life(std::uint64_t seed)
  : records_(std::make_shared<recorded_catalog>()), store_(seed, records_) {
  store_.config.pool.shards = 2;
}

life::~life() = default;

void life::open() {
  if (auto opened = store_.open(); !opened)
    give_up(to_string(opened.error()));
  store_.run();
}

void life::close() {
  store_.stop();
  note("closed");
}

void life::crash() {
  store_.kill();
  store_.disk->crash(unsynced::dropped);
  store_.disk->restart();
  note("crashed");
}

void life::idle() {
  store_.advance(2000);
  store_.run();
}

void life::note(std::string what) {
  lived_.moments.push_back({std::move(what),
                            take_image(*store_.disk, store_.config.data_dir),
                            records_->updates()});
}

void life::append(const std::string& name,
                  const std::vector<std::size_t>& sizes,
                  std::optional<producer> by) {
  auto batch = std::make_unique<write_batch>();
  append_options how;
  how.producer = std::move(by);
  batch->append({{}, name}, how);
  auto& payloads = lived_.told[name].payloads;
  for (const auto bytes : sizes) {
    payloads.push_back(payload_of(name, payloads.size(), bytes));
    batch->add(as_bytes(payloads.back()));
  }
  submit(name, std::move(batch));
}

void life::at_once(const std::function<void()>& requests) {
  together_ = true;
  requests();
  together_ = false;
  settle();
}

void life::truncate(const std::string& name, std::uint64_t before) {
  auto batch = std::make_unique<write_batch>();
  batch->truncate({{}, name}, sequence{before});
  submit(name, std::move(batch));
  lived_.told[name].first = before;
}

void life::close(const std::string& name) {
  auto batch = std::make_unique<write_batch>();
  batch->control(write_kind::close, {{}, name});
  submit(name, std::move(batch));
  lived_.told[name].closed = true;
}

void life::remove(const std::string& name) {
  auto batch = std::make_unique<write_batch>();
  batch->control(write_kind::remove, {{}, name});
  submit(name, std::move(batch));
  lived_.told.erase(name);
  lived_.removed.insert(name);
}

void life::fork(const std::string& name, const std::string& source,
                std::uint64_t at) {
  fork_request request;
  request.name = name;
  request.source_name = source;
  request.at = sequence{at};
  std::optional<result<write_outcome>> made;
  torpor::fork(store_.running(), std::move(request),
               [&made](auto outcome) { made = std::move(outcome); });
  store_.run();
  if (!made || !*made || (*made)->code != errc{})
    give_up("a fork was not made");
  const auto& from = lived_.told[source].payloads;
  auto& payloads = lived_.told[name].payloads;
  payloads.assign(from.begin(),
                  from.begin() + static_cast<std::ptrdiff_t>(at));
}

void life::compact() {
  std::optional<result<void>> merged;
  store_.running().compact([&](const result<void>& done) { merged = done; });
  store_.run();
  if (!merged || !*merged)
    give_up("its segments were not merged");
}

lived_store life::take() {
  lived_.config = store_.config;
  lived_.config.pool.shards = 1;
  lived_.records = records_;
  return std::move(lived_);
}

void life::submit(const std::string& name, std::unique_ptr<write_batch> batch) {
  auto& into = *answers_.emplace_back(std::make_unique<answer>());
  batch->sink(&into);
  store_.running().submit(store_.running().shard({{}, name}), std::move(batch));
  if (!together_)
    settle();
}

void life::settle() {
  store_.run();
  for (const auto& each : answers_)
    if (each->code != errc{})
      give_up(each->text);
  answers_.clear();
}

} // namespace torpor::test
