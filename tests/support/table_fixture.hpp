// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/block_reader.hpp"
#include "runtime/catalog.hpp"
#include "runtime/stream_table.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/simulated_disk.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace torpor::test {

/// What became of one request; open until the table gave its batch back.
struct write_reply {
  bool done = false;
  write_outcome outcome;
  std::string text; ///< Of the error.

  [[nodiscard]] bool good() const { return done && outcome.code == errc{}; }
  [[nodiscard]] errc code() const {
    REQUIRE(done);
    return outcome.code;
  }
  [[nodiscard]] std::uint64_t first() const {
    REQUIRE(good());
    return raw(outcome.first);
  }
  [[nodiscard]] bool says(std::string_view what) const {
    return text.find(what) != std::string::npos;
  }
};

/// What became of one read.
struct read_reply {
  bool done = false;
  errc code{};
  std::string text; ///< Of the error.
  read_page page;

  [[nodiscard]] std::vector<std::string> payloads() const {
    REQUIRE_MESSAGE(code == errc{}, text);
    REQUIRE(done);
    std::vector<std::string> all;
    for (const auto& entry : page.entries)
      all.emplace_back(as_text(entry.payload));
    return all;
  }
};

using write_answer = std::shared_ptr<write_reply>;
using read_answer = std::shared_ptr<read_reply>;
using payloads = std::vector<std::string>;

/// A stream table whose shard, actors, journal and timing wheel are played by
/// hand. Syncs wait in `flights` until a test commits or fails them. Whatever
/// the table hands out is checked on the way. Threads: one owner.
class table_fixture {
public:
  table_fixture() {
    settings.block_bytes_max = 64u << 20;
    settings.stream_bytes_max = 64u << 20;
    settings.record_cache = 1000;
    REQUIRE(disk.make_directory("journal"));
    auto made = disk.open("journal/" + journal_file_name(1),
                          open_mode::create);
    REQUIRE(made);
    file_ = std::move(*made);
  }

  /// A new table on the same catalog, as after a restart. Blocks that were
  /// committed since the last checkpoint are replayed.
  void start() {
    table.reset();
    flights.clear();
    wheel.clear();
    awake.clear();
    budget = std::make_unique<memory_budget>(memory);
    table = std::make_unique<stream_table>(settings, stored->reader(), *budget,
                                           clock);
    const auto numbers = stored->numbers();
    for (std::uint32_t slot = 0; slot < slots; ++slot)
      table->records().number(static_cast<std::uint8_t>(slot),
                              (*numbers)[slot]);
    for (std::size_t i = 0; i < durable.size(); ++i)
      replay(durable[i], i >= saved_);
  }

  /// Begins to delete what is not to be kept.
  void retain() {
    table->start_retention();
    flush();
  }

  // -- writes ----------------------------------------------------------------

  /// Sends one batch; the answers are those of its requests.
  std::vector<write_answer> send(std::unique_ptr<write_batch> batch) {
    std::vector<write_answer> answers;
    for (std::size_t i = 0; i < batch->size(); ++i)
      answers.push_back(std::make_shared<write_reply>());
    open_[batch.get()] = answers;
    table->write(std::move(batch));
    flush();
    return answers;
  }

  write_answer append(stream_ref stream, std::string_view payload,
                      const append_options& how = {}) {
    return append_all(stream, {std::string{payload}}, how);
  }

  write_answer append_all(stream_ref stream, const payloads& all,
                          const append_options& how = {}) {
    auto batch = std::make_unique<write_batch>();
    batch->append(stream, how);
    for (const auto& payload : all)
      batch->add(as_bytes(payload));
    return send(std::move(batch))[0];
  }

  write_answer buffered(stream_ref stream, std::string_view payload) {
    append_options how;
    how.ack = ack::buffered;
    return append(stream, payload, how);
  }

  write_answer create(std::string_view name, const sync_policy& policy = {},
                      const retention_policy& keep = {}) {
    auto batch = std::make_unique<write_batch>();
    batch->create(name, {.policy = policy, .keep = keep});
    return send(std::move(batch))[0];
  }

  write_answer create(std::string_view name, const create_options& how,
                      const payloads& entries = {}) {
    auto batch = std::make_unique<write_batch>();
    batch->create(name, how);
    for (const auto& payload : entries)
      batch->add(as_bytes(payload));
    return send(std::move(batch))[0];
  }

  /// Closes a stream with an append of these entries, perhaps of none.
  write_answer close_with(stream_ref stream, const payloads& entries,
                          append_options how = {}) {
    how.closes = true;
    return append_all(stream, entries, how);
  }

  write_answer pin(stream_ref source, std::uint64_t at, std::string_view fork) {
    auto batch = std::make_unique<write_batch>();
    batch->pin(source, sequence{at}, fork);
    return send(std::move(batch))[0];
  }

  write_answer unpin(stream_ref source, std::uint64_t number) {
    auto batch = std::make_unique<write_batch>();
    batch->unpin(source, number);
    return send(std::move(batch))[0];
  }

  write_answer set_retention(stream_ref stream, const retention_policy& keep) {
    auto batch = std::make_unique<write_batch>();
    batch->set_retention(stream, keep);
    return send(std::move(batch))[0];
  }

  write_answer control(write_kind kind, stream_ref stream) {
    auto batch = std::make_unique<write_batch>();
    batch->control(kind, stream);
    return send(std::move(batch))[0];
  }

  write_answer truncate(stream_ref stream, std::uint64_t before) {
    auto batch = std::make_unique<write_batch>();
    batch->truncate(stream, sequence{before});
    return send(std::move(batch))[0];
  }

  write_answer set_policy(stream_ref stream, const sync_policy& policy) {
    auto batch = std::make_unique<write_batch>();
    batch->set_policy(stream, policy);
    return send(std::move(batch))[0];
  }

  // -- the journal -----------------------------------------------------------

  /// Commits the syncs at the front, all of them by default.
  void commit(std::size_t count = ~std::size_t{0}) {
    const auto end = flights.begin()
                     + static_cast<std::ptrdiff_t>(
                       std::min(count, flights.size()));
    const std::vector<pending_block*> blocks{flights.begin(), end};
    flights.erase(flights.begin(), end);
    for (auto* block : blocks) {
      block->place = {1, file_bytes_,
                      static_cast<std::uint32_t>(block->bytes.size())};
      REQUIRE(file_->write(file_bytes_, block->bytes));
      file_bytes_ += block->place.bytes;
      durable.push_back({{block->bytes.begin(), block->bytes.end()},
                         block->place});
    }
    table->committed(blocks);
    flush();
  }

  /// Commits until nothing is in flight.
  void settle() {
    while (!flights.empty())
      commit();
  }

  /// A refusal that comes when what it rests on is durable.
  write_answer late(write_answer refused) {
    CHECK_FALSE(refused->done);
    settle();
    return refused;
  }

  /// The journal gives the syncs at the front up.
  void fail(const error& why, std::size_t count = ~std::size_t{0}) {
    const auto end = flights.begin()
                     + static_cast<std::ptrdiff_t>(
                       std::min(count, flights.size()));
    const std::vector<pending_block*> blocks{flights.begin(), end};
    flights.erase(flights.begin(), end);
    table->failed(blocks, why);
    flush();
  }

  /// Streams whose syncs are in flight, in order.
  [[nodiscard]] std::vector<std::uint64_t> flying() const {
    std::vector<std::uint64_t> ids;
    for (const auto* block : flights)
      ids.push_back(raw(block->builder.stream()));
    return ids;
  }

  /// The journal had no room for what is in flight.
  void refuse_flights(const error& why) {
    table->refused(std::exchange(flights, {}), {}, why);
    flights = table->out().again;
    flush();
  }

  // -- time ------------------------------------------------------------------

  /// Turns the clocks on and fires what has passed.
  void advance(std::uint64_t ms) {
    clock.monotonic += ms;
    clock.wall += static_cast<std::int64_t>(ms);
    std::vector<stream_id> due;
    const auto passed = wheel.upper_bound(clock.monotonic);
    for (auto one = wheel.begin(); one != passed; ++one)
      due.push_back(one->second);
    wheel.erase(wheel.begin(), passed);
    table->due(due);
    flush();
  }

  // -- catalog ---------------------------------------------------------------

  /// Saves all changed records.
  void checkpoint() {
    auto& records = table->records();
    records.begin_checkpoint();
    for (auto changes = records.collect(7); !changes.empty();
         changes = records.collect(7)) {
      REQUIRE(stored->update(changes, std::nullopt));
      records.saved(true);
    }
    saved_ = durable.size();
  }

  // -- reads -----------------------------------------------------------------

  read_answer read(stream_ref stream, const read_options& options = {},
                   std::uint64_t ticket = 0) {
    auto answer = std::make_shared<read_reply>();
    auto request = std::make_unique<read_request>();
    request->stream = stream.id;
    request->name = stream.name;
    request->options = options;
    request->ticket = ticket;
    request->sink = std::make_unique<sink>(answer);
    table->read(std::move(request));
    flush();
    return answer;
  }

  read_answer wait(stream_ref stream, std::uint64_t from,
                   std::uint64_t ticket = 0) {
    read_options options;
    options.from = sequence{from};
    options.wait = true;
    return read(stream, options, ticket);
  }

  [[nodiscard]] stream_info info(stream_ref stream) {
    const auto known = table->info(stream);
    REQUIRE_MESSAGE(known, known.error().context);
    return *known;
  }

  [[nodiscard]] payloads list(std::string_view prefix = {},
                              std::string_view after = {},
                              std::size_t count_max = 1000) {
    const auto found = table->records().list(prefix, after, count_max);
    REQUIRE(found);
    payloads names;
    for (const auto& [name, id] : *found)
      names.push_back(name);
    return names;
  }

  /// Budget in use.
  [[nodiscard]] std::uint64_t used() const { return budget->all().used(); }

  /// Does what a shard does after each call.
  void flush() {
    auto& out = table->out();
    for (const auto at : out.woken)
      REQUIRE(awake.insert(at).second);
    for (auto* block : out.syncs)
      launch(block);
    for (const auto at : out.hibernated)
      REQUIRE(awake.erase(at) == 1);
    for (const auto& one : out.deadlines) {
      CHECK(one.tick > clock.monotonic);
      wheel.emplace(one.tick, one.stream);
    }
    auto forwards = std::move(out.forwards);
    for (auto& job : out.reads)
      finish(job, forwards);
    for (auto& batch : out.done)
      answer(*batch);
    relief_asked = relief_asked || out.relief;
    CHECK(table->stats().awake == awake.size());
    for (auto& each : out.unpins)
      unpins.push_back(std::move(each));
    for (auto& each : out.doubts)
      doubts.push_back(std::move(each));
    out = {};
    for (auto& request : forwards) {
      table->read(std::move(request));
      flush();
    }
  }

  /// A block that a commit made durable.
  struct durable_block {
    std::vector<std::byte> bytes;
    block_place place;
  };

  // Set these before `start`.
  stream_table::settings settings;
  memory_options memory;

  manual_clock clock;
  simulated_disk disk{1};
  std::unique_ptr<catalog> stored = make_memory_catalog();
  std::unique_ptr<memory_budget> budget;
  std::unique_ptr<stream_table> table;
  std::vector<pending_block*> flights; ///< Syncs in flight, oldest first.
  std::multimap<std::uint64_t, stream_id> wheel;
  std::set<std::uint32_t> awake;       ///< Streams that have an actor.
  std::vector<durable_block> durable;  ///< The journal, in order.
  bool relief_asked = false; ///< Other shards were to be relieved.
  std::vector<pin_of_fork> unpins; ///< To be taken out, as the table says.
  std::vector<pin_of_fork> doubts; ///< To be looked after.

private:
  class sink final : public read_sink {
  public:
    explicit sink(read_answer into) : into_(std::move(into)) {}
    void done(result<read_page> page) override {
      REQUIRE_FALSE(into_->done);
      into_->done = true;
      if (page) {
        into_->page = std::move(*page);
      } else {
        into_->code = page.error().code;
        into_->text = page.error().context;
      }
    }

  private:
    read_answer into_;
  };

  /// What a reader does.
  void finish(read_job& job,
              std::vector<std::unique_ptr<read_request>>& forwards) {
    auto page = reader_.run(job);
    auto& request = job.request;
    if (page && request->heir) {
      auto inherited = for_heir(std::move(*page), *request->heir);
      if (!inherited)
        return forwards.push_back(to_heir(std::move(request)));
      page = std::move(*inherited);
    }
    request->sink->done(std::move(page));
  }

  void launch(pending_block* block) {
    REQUIRE(awake.contains(block->awake));
    for (const auto* other : flights)
      REQUIRE(other->builder.stream() != block->builder.stream());
    block->bytes = block->builder.finish();
    REQUIRE(parse_block(block->bytes));
    REQUIRE(block->bytes.size() <= settings.block_bytes_max);
    flights.push_back(block);
    REQUIRE(flights.size() <= settings.sync.window);
  }

  void answer(const write_batch& batch) {
    const auto open = open_.find(&batch);
    REQUIRE(open != open_.end());
    for (std::size_t i = 0; i < open->second.size(); ++i) {
      auto& reply = *open->second[i];
      REQUIRE_FALSE(reply.done);
      reply.done = true;
      reply.outcome = batch.outcome(i);
      reply.text = batch.failure(i).context;
    }
    open_.erase(open);
  }

  void replay(const durable_block& one, bool unsaved) {
    const auto block = parse_block(one.bytes);
    REQUIRE(block);
    // What is saved needs no replay, but a place in the index all the same.
    auto row = unsaved ? table->records().apply(*block)
                       : table->records().find(block->stream);
    REQUIRE(row);
    if (*row != record_table::none)
      table->index().add(table->records()[*row].blocks, *block, one.place);
    if (block->removes)
      table->index().remove(block->stream);
  }

  std::map<const write_batch*, std::vector<write_answer>> open_;
  std::unique_ptr<file> file_;
  std::uint32_t file_bytes_ = 0;
  block_reader reader_{disk, "journal"};
  std::size_t saved_ = 0; ///< Blocks that the catalog holds.
};

} // namespace torpor::test
