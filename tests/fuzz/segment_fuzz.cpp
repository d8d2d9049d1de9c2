// SPDX-License-Identifier: Apache-2.0
// Segments, read in every way. Input: a byte, then, by its remainder by 3: the
// file as it is; what `segment_maker` takes, with right checksums; or changes to
// a sound segment, each an offset of two bytes and a byte.
#include "runtime/assert.hpp"
#include "runtime/block_reader.hpp"
#include "runtime/segment_files.hpp"
#include "runtime/segment_list.hpp"
#include "runtime/segment_rebuild.hpp"
#include "runtime/segment_scan.hpp"
#include "runtime/segment_verify.hpp"
#include "tests/fuzz/segment_maker.hpp"
#include "tests/support/simulated_disk.hpp"

#include <cstdio>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

using namespace torpor;
using namespace torpor::test;

namespace {

/// Stream, sequence, time, properties and payload of an entry.
using told_entry = std::tuple<std::uint64_t, std::uint64_t, std::int64_t,
                              std::string, std::string>;

told_entry tell(stream_id stream, const entry_view& entry) {
  return {raw(stream), raw(entry.seq), entry.time_ms,
          std::string{as_text(entry.encoded)},
          std::string{as_text(entry.payload)}};
}

segment_config config_of_segment() {
  segment_config config;
  config.store.fill(std::byte{0x5a});
  config.number = 7;
  config.journal_first = 1;
  config.journal_last = 4;
  return config;
}

std::string path_of_segment() {
  return "segments/" + segment_file_name(7);
}

/// A segment of three streams, two of them compressed, and all it has.
struct sound_segment {
  byte_vector file;
  std::set<told_entry> entries;

  sound_segment() {
    simulated_disk disk{1};
    TORPOR_ASSERT(disk.make_directory("segments"));
    auto writer = segment_writer::create(disk, path_of_segment(),
                                         config_of_segment());
    TORPOR_ASSERT(writer);
    for (const std::uint64_t stream : {5, 9, 12})
      add(*writer, stream);
    const auto summary = writer->finish();
    TORPOR_ASSERT(summary);
    const auto opened = disk.open(path_of_segment(), open_mode::read).value();
    file.resize(summary->file_bytes);
    TORPOR_ASSERT(opened->read(0, file) == file.size());
  }

  void add(segment_writer& writer, std::uint64_t stream) {
    block_builder builder;
    builder.start(stream_id{stream}, sequence{stream});
    for (int i = 0; i < 4; ++i)
      builder.add(as_bytes(std::string(20, static_cast<char>('a' + i))),
                  encode_properties({{"key", std::to_string(stream)}}),
                  1000 + i);
    const auto block = parse_block(builder.finish()).value();
    TORPOR_ASSERT(writer.add(block));
    entry_cursor cursor{block};
    while (const auto entry = cursor.next())
      entries.insert(tell(block.stream, *entry));
  }
};

/// Reads a segment. What is wrong is `corrupt` and names the file; what is given
/// agrees with itself, and, if `allowed`, is of those entries.
class suspicious_reader {
public:
  suspicious_reader(byte_vector file, const std::set<told_entry>* allowed)
    : allowed_{allowed} {
    TORPOR_ASSERT(disk_.make_directory("segments"));
    TORPOR_ASSERT(disk_.make_directory("journal"));
    auto made = disk_.open(path_of_segment(), open_mode::create);
    TORPOR_ASSERT(made && (*made)->write(0, file));
  }

  void run() {
    const auto opened = segment::open(disk_, path_of_segment(),
                                      config_of_segment().store);
    rebuild();
    if (!good(opened))
      return;
    scan_rows(*opened);
    scan_blocks(*opened);
    verify(*opened);
    for (const auto& row : rows_)
      read(*opened, row);
    TORPOR_ASSERT(!sound_ || !damaged_);
  }

private:
  template <class T>
  bool good(const result<T>& got) {
    if (got)
      return true;
    damaged_ = true;
    const auto& why = got.error();
    const auto named = why.context.find(path_of_segment()) != std::string::npos
                       || why.context.find("stream 'log'") != std::string::npos;
    if (!named)
      std::fprintf(stderr, "%s\n", to_string(why).c_str());
    TORPOR_ASSERT(named);
    TORPOR_ASSERT(why.code == errc::corrupt
                  || why.code == errc::incompatible);
    return false;
  }

  void scan_rows(const std::shared_ptr<const segment>& opened) {
    segment_row_scan scan{opened};
    for (;;) {
      const auto row = scan.next();
      if (!good(row))
        continue;
      if (!*row)
        break;
      TORPOR_ASSERT(rows_.empty()
                    || raw(rows_.back().stream) < raw((*row)->stream));
      TORPOR_ASSERT((*row)->chunk < opened->chunks());
      TORPOR_ASSERT((*row)->chunks <= opened->chunks() - (*row)->chunk);
      rows_.push_back(**row);
    }
    for (const auto& row : rows_)
      if (const auto found = opened->find(row.stream); good(found))
        TORPOR_ASSERT(!*found || **found == row);
    for (const auto stream : {0ull, 1ull, 9ull, ~0ull})
      good(opened->find(stream_id{stream}));
  }

  void scan_blocks(const std::shared_ptr<const segment>& opened) {
    segment_block_scan scan{opened};
    for (;;) {
      const auto block = scan.next();
      if (!good(block))
        continue;
      if (!*block)
        return;
      TORPOR_ASSERT((*block)->count > 0);
      entry_cursor cursor{**block};
      while (const auto entry = cursor.next())
        give((*block)->stream, *entry);
      damaged_ = damaged_ || !cursor.sound();
    }
  }

  void give(stream_id stream, const entry_view& entry) {
    const auto told = tell(stream, entry);
    TORPOR_ASSERT(allowed_ == nullptr || allowed_->contains(told));
    given_.insert(told);
  }

  /// As a client reads, by place and by time.
  void read(const std::shared_ptr<const segment>& opened,
            const segment_row& row) {
    for (const auto by_time : {false, true}) {
      read_job job;
      job.request = std::make_unique<read_request>();
      if (by_time)
        job.request->options.from_time = row.last_ms;
      job.name = "log";
      job.page.stream = row.stream;
      job.page.next_from = job.first = row.first;
      job.page.next = job.sealed_end = row.next;
      job.time_sealed = by_time;
      const std::shared_ptr<disk> place{&disk_, [](auto*) {}};
      job.segments
        = segment_list{{place, "segments", config_of_segment().store}}.with(
          {opened->summary()});
      check(block_reader{disk_, "journal"}.run(job), row);
    }
  }

  void check(const result<read_page>& page, const segment_row& row) {
    if (!good(page))
      return;
    auto wanted = std::optional<sequence>{};
    for (const auto& entry : page->entries) {
      TORPOR_ASSERT(!wanted || entry.seq == *wanted);
      const auto in_row = raw(entry.seq) >= raw(row.first)
                          && raw(entry.seq) < raw(row.next);
      const auto told = tell(row.stream, entry);
      TORPOR_ASSERT(allowed_ == nullptr || allowed_->contains(told));
      // A row may lead to what a scan does not meet; that is found, too.
      TORPOR_ASSERT(!sound_ || (in_row && given_.contains(told)));
      wanted = entry.seq + 1;
    }
  }

  void verify(const std::shared_ptr<const segment>& opened) {
    const auto report = verify_segment(opened);
    TORPOR_ASSERT(report);
    TORPOR_ASSERT(!report->damages.empty() || !damaged_);
    sound_ = report->damages.empty();
    if (sound_) {
      TORPOR_ASSERT(report->found == opened->summary());
      TORPOR_ASSERT(given_.size() == report->found.entries);
      TORPOR_ASSERT(rows_.size() == report->found.streams);
    }
  }

  /// The store's list made anew of what this file says.
  void rebuild() {
    journal_config journal;
    journal.directory = "journal";
    journal.store = config_of_segment().store;
    const auto made = rebuild_state(disk_, journal, "segments", std::nullopt);
    if (!made) {
      TORPOR_ASSERT(made.error().code == errc::corrupt
                    || made.error().code == errc::incompatible);
      return;
    }
    static_cast<void>(compare_segments(disk_, "segments", journal.store,
                                       made->state.segments));
  }

  simulated_disk disk_{1};
  const std::set<told_entry>* allowed_;
  std::vector<segment_row> rows_;
  std::set<told_entry> given_;
  bool damaged_ = false;
  bool sound_ = false; ///< Nothing is wrong, says `verify_segment`.
};

byte_vector changed(byte_vector file, fuzz_input& input) {
  while (!input.empty()) {
    const auto offset = input.u16() % file.size();
    file[offset] ^= static_cast<std::byte>(input.u8());
  }
  return file;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  static const sound_segment sound;
  fuzz_input input{data, size};
  switch (input.u8() % 3) {
    case 0:
      suspicious_reader{to_bytes(input.rest()), nullptr}.run();
      break;
    case 1:
      suspicious_reader{segment_maker{config_of_segment()}.make(input), nullptr}
        .run();
      break;
    default:
      suspicious_reader{changed(sound.file, input), &sound.entries}.run();
  }
  return 0;
}
