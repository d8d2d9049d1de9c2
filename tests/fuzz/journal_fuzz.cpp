// SPDX-License-Identifier: Apache-2.0
// Recovery from any journal files, and what is made of the recovered entries:
// records, answers to reads, segments. Input: a byte; if it is odd, the rest is
// one journal file as it is, else frames as `journal_maker` takes them.
#include "runtime/assert.hpp"
#include "runtime/block_reader.hpp"
#include "runtime/journal_scan.hpp"
#include "runtime/journal_seal.hpp"
#include "runtime/recovery.hpp"
#include "runtime/segment_files.hpp"
#include "runtime/segment_verify.hpp"
#include "tests/fuzz/journal_maker.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/simulated_disk.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

using namespace torpor;
using namespace torpor::test;

namespace {

/// A block as a scan gave it.
struct seen_block {
  block_place place;
  std::string bytes;
  bool operator==(const seen_block&) const = default;
};
using seen_blocks = std::vector<seen_block>;

journal_config config_of_store() {
  journal_config config;
  config.directory = "journal";
  config.store.fill(std::byte{0x5a});
  config.incarnation = 2;
  config.file_bytes = 64u << 10;
  return config;
}

/// A page with what the journal has, or an error.
class answer_of_read final : public read_sink {
public:
  explicit answer_of_read(const seen_blocks& seen) : seen_{seen} {}

  void done(result<read_page> page) override {
    if (!page)
      return;
    for (const auto& entry : page->entries)
      if (!entry.payload.empty())
        TORPOR_ASSERT(is_of_journal(as_text(entry.payload)));
  }

private:
  [[nodiscard]] bool is_of_journal(std::string_view payload) const {
    return std::ranges::any_of(seen_, [&](const auto& block) {
      return block.bytes.find(payload) != std::string::npos;
    });
  }

  const seen_blocks& seen_;
};

/// A store's journal, recovered in every way.
class recovered_journal {
public:
  explicit recovered_journal(const journal_maker::files& files) {
    TORPOR_ASSERT(disk_.make_directory("journal"));
    TORPOR_ASSERT(disk_.make_directory("segments"));
    for (const auto& [number, bytes] : files) {
      auto made = disk_.open(journal_file_path(config_, number),
                             open_mode::create);
      TORPOR_ASSERT(made && (*made)->write(0, bytes) && (*made)->sync());
    }
    TORPOR_ASSERT(disk_.sync_directory("journal"));
  }

  void run() {
    seen_blocks looked;
    const auto look = scan({.repair = false}, looked);
    if (!look)
      return check(look.error());
    seen_blocks kept;
    const auto mended = scan({}, kept);
    if (!mended) { // Damage, which the look has told of.
      TORPOR_ASSERT(mended.error().code != errc::corrupt
                    || !look->damages.empty());
      return check(mended.error());
    }
    TORPOR_ASSERT(look->damages.empty() && kept == looked);
    seen_blocks again;
    const auto repeated = scan({}, again);
    TORPOR_ASSERT(repeated && again == kept && same(*repeated, *mended));
    TORPOR_ASSERT(disk_.violations().empty());
    if (restore(kept))
      seal(*mended, kept);
    go_on(*mended, kept);
  }

private:
  [[nodiscard]] result<scan_result> scan(const scan_options& options,
                                         seen_blocks& into) {
    return scan_journal(disk_, config_, options,
                        [&](const block_view& block, block_place place) {
                          TORPOR_ASSERT(parse_block(block.whole));
                          into.push_back(
                            {place, std::string{as_text(block.whole)}});
                        });
  }

  static void check(const error& failure) {
    TORPOR_ASSERT(failure.code == errc::corrupt
                  || failure.code == errc::incompatible);
    TORPOR_ASSERT(failure.context.find("journal") != std::string::npos);
  }

  static bool same(const scan_result& a, const scan_result& b) {
    return a.end.frame == b.end.frame && a.end.checksum == b.end.checksum
           && a.end.file == b.end.file && a.end.spare == b.end.spare
           && a.frames == b.frames && a.blocks == b.blocks;
  }

  /// What is committed now stands behind all that was kept.
  void go_on(const scan_result& from, seen_blocks kept) {
    journal log{disk_, config_, from.end};
    block_builder builder;
    builder.start(stream_id{7}, sequence{0});
    builder.add(as_bytes("new"), {}, 1000);
    journal_block block{builder.finish(), {}};
    kept.push_back({{}, std::string{as_text(block.bytes)}});
    journal_block* blocks[] = {&block};
    TORPOR_ASSERT(log.commit(blocks) == commit_outcome::durable);
    kept.back().place = block.place;
    TORPOR_ASSERT(log.mark_idle() == commit_outcome::durable);
    seen_blocks all;
    TORPOR_ASSERT(scan({}, all) && all == kept);
  }

  /// The records that come of it can be stored and are found again; reads give
  /// bytes of the journal. False: the blocks make no sense together.
  bool restore(const seen_blocks& kept) {
    const auto stored = make_memory_catalog();
    memory_budget budget{{}};
    stream_table::settings settings;
    settings.block_bytes_max = settings.stream_bytes_max = 1u << 20;
    settings.record_cache = 1000;
    recovery::tables tables;
    tables.push_back(std::make_unique<stream_table>(settings, stored->reader(),
                                                    budget, clock_));
    recovery replayed{tables, 1};
    for (const auto& block : kept)
      replayed.add(parse_block(as_bytes(block.bytes)).value(), block.place);
    if (const auto done = replayed.finish(); !done) {
      TORPOR_ASSERT(done.error().code == errc::corrupt);
      return false;
    }
    read(*tables[0], kept);
    save(tables[0]->records(), *stored);
    return true;
  }

  void read(stream_table& table, const seen_blocks& kept) {
    block_reader reader{disk_, "journal"};
    for (const auto& block : kept) {
      auto request = std::make_unique<read_request>();
      request->stream = parse_block(as_bytes(block.bytes))->stream;
      request->options.from = read_options::oldest;
      request->sink = std::make_unique<answer_of_read>(kept);
      table.read(std::move(request));
      for (auto& job : table.out().reads)
        job.request->sink->done(reader.run(job));
      table.out() = {};
    }
  }

  static void save(record_table& records, catalog& stored) {
    records.begin_checkpoint();
    for (;;) {
      auto changes = records.collect(16);
      if (changes.empty())
        return;
      for (const auto& change : changes)
        if (change.record) {
          byte_vector bytes;
          encode(*change.record, bytes);
          TORPOR_ASSERT(decode_record(bytes));
        }
      TORPOR_ASSERT(stored.update(changes, std::nullopt));
      records.saved(true);
    }
  }

  /// A seal takes the entries of these files whole or says what is wrong.
  void seal(const scan_result& from, const seen_blocks& kept) {
    if (from.end.frame == 0 || from.frames == 0)
      return;
    const seal_range range{1, from.end.file, 1, from.end.frame + 1};
    const auto sealed = seal_journal(disk_, config_, range, "segments",
                                     {config_.store, 1, 1, from.end.file, 1});
    if (!sealed)
      return TORPOR_ASSERT(sealed.error().code == errc::corrupt);
    const auto opened = segment::open(disk_,
                                      "segments/" + segment_file_name(1),
                                      config_.store);
    TORPOR_ASSERT(opened && (*opened)->summary() == *sealed);
    std::uint64_t entries = 0;
    for (const auto& block : kept)
      entries += parse_block(as_bytes(block.bytes))->count;
    TORPOR_ASSERT(sealed->entries <= entries);
    const auto report = verify_segment(*opened);
    TORPOR_ASSERT(report);
    for (const auto& damage : report->damages) // Only what was never written.
      TORPOR_ASSERT(damage.text.find("missing") != std::string::npos);
  }

  journal_config config_ = config_of_store();
  simulated_disk disk_{1};
  manual_clock clock_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  fuzz_input input{data, size};
  journal_maker::files files;
  if (input.u8() % 2 != 0)
    files[1] = to_bytes(input.rest());
  else
    files = journal_maker{config_of_store()}.make(input);
  recovered_journal{files}.run();
  return 0;
}
