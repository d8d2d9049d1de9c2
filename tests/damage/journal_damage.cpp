// SPDX-License-Identifier: Apache-2.0
// Every bit of a journal file is flipped, and it is cut off at every byte.
#include "tests/damage/attempt.hpp"
#include "tests/damage/journal_map.hpp"
#include "tests/damage/kinds.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace torpor::test {

namespace {

const std::string journal_file = "journal/0000000001.journal";

/// A bit of everything in one journal file: some streams in one commit, large
/// and empty entries, producers, truncation, forks of living and of deleted
/// streams, closes and removals.
lived_store live() {
  life one{1};
  one.open();
  one.at_once([&] {
    for (const auto* name : {"a", "b", "c", "d"})
      one.append(name, {20, 0, 1, 300});
  });
  one.engine().advance(10);
  one.at_once([&] {
    one.append("b", {70, 70}, producer{"p", 1, 0});
    one.append("e", {1500, 20, 9000}, producer{"q", 0, 0});
    one.append("gone", {10});
  });
  one.truncate("a", 2);
  one.fork("fork of b", "b", 5);
  one.at_once([&] {
    one.append("fork of b", {40, 50});
    one.append("a", {30});
    one.append("g", {6000});
    one.close("c");
    one.remove("gone");
  });
  one.fork("heir", "d", 3);
  one.remove("d"); // It is kept for its heir.
  one.engine().advance(10);
  one.at_once([&] {
    one.append("e", {200}, producer{"q", 0, 1});
    one.append("b", {12}, producer{"p", 1, 1});
    one.append("f", {33});
  });
  one.note("not marked");
  one.idle();
  one.note("marked");
  one.close();
  return one.take();
}

/// One way in which the store ended, with all that can be done to its journal.
/// Threads: any.
class journal_case {
public:
  journal_case(const lived_store& lived, const lived_store::moment& when);

  [[nodiscard]] std::string flip(std::uint64_t bit) const;
  [[nodiscard]] std::string cut(std::uint64_t bytes) const;

  [[nodiscard]] std::uint64_t bytes() const { return journal().size(); }
  [[nodiscard]] std::uint64_t frames() const { return map_.frames.size(); }
  /// The bits of headers, and of the first and the last frame.
  [[nodiscard]] bool is_special(std::uint64_t bit) const;

private:
  [[nodiscard]] const std::string& journal() const {
    return when_.files.at(journal_file);
  }
  [[nodiscard]] attempt open(const std::string& damaged, access how) const;
  [[nodiscard]] std::string must_be(const attempt& got,
                                    const store_reading& truth) const;
  [[nodiscard]] std::string must_refuse(const attempt& got,
                                        std::uint64_t offset) const;
  [[nodiscard]] std::string
  must_tell(const attempt& got, std::uint64_t offset,
            const std::set<stream_id>& touched) const;
  [[nodiscard]] std::string flip(std::uint64_t byte, unsigned bit,
                                 access how) const;
  [[nodiscard]] std::string cut(std::uint64_t bytes, access how) const;

  const lived_store& lived_;
  const lived_store::moment& when_;
  std::shared_ptr<catalog> records_;
  journal_map map_;
  bool closed_;
  std::string path_;
  std::vector<store_reading> truths_; ///< With so many frames, if not closed.
  store_reading truth_;
};

journal_case::journal_case(const lived_store& lived,
                           const lived_store::moment& when)
  : lived_(lived),
    when_(when),
    records_(lived.records_at(when)),
    map_(map_journal(when.files.at(journal_file))),
    closed_(when.what == "closed"),
    path_(lived.config.data_dir + "/" + journal_file),
    truth_(must_read(lived.config, records_, when.files)) {
  if (auto wrong = compare(lived, truth_); !wrong.empty())
    throw std::runtime_error{when.what + ": " + wrong};
  if (map_.frames.size() < 10)
    throw std::runtime_error{when.what + ": the journal is too short"};
  for (std::size_t count = 0; !closed_ && count <= map_.frames.size();
       ++count) {
    auto files = when.files;
    auto& bytes = files.at(journal_file);
    if (count < map_.frames.size())
      for (auto at = map_.frames[count].offset; at < bytes.size(); ++at)
        bytes[at] = '\0';
    truths_.push_back(must_read(lived.config, records_, files));
  }
}

bool journal_case::is_special(std::uint64_t bit) const {
  const auto byte = bit / 8;
  const auto count = map_.frames_to(byte);
  if (count == 0)
    return false;
  const auto& frame = map_.frames[count - 1];
  const auto end_of_last = frame.end == map_.frames.back().end
                           && byte < frame.covered;
  return byte < frame.offset + frame_head_bytes || end_of_last;
}

attempt journal_case::open(const std::string& damaged, access how) const {
  auto files = when_.files;
  files.at(journal_file) = damaged;
  return try_to_read(lived_.config, records_, files, how);
}

/// All of it is there, and nobody was told of any damage.
std::string journal_case::must_be(const attempt& got,
                                  const store_reading& truth) const {
  if (got.refused)
    return "refused: " + to_string(*got.refused);
  if (!got.found.damages.empty() || got.found.incomplete)
    return "damage is told where none matters";
  const auto same = compare(truth, got.found);
  if (!same.wrong.empty())
    return same.wrong;
  return same.refused.empty() ? "" : "a stream is refused";
}

std::string journal_case::must_refuse(const attempt& got,
                                      std::uint64_t offset) const {
  if (!got.refused)
    return "it opens without what was acknowledged";
  if (got.refused->code != errc::corrupt || !names(*got.refused, path_, offset))
    return "refused without file and byte: " + to_string(*got.refused);
  return got.changed;
}

/// It opens, says where the damage is, and has all that is not damaged.
std::string journal_case::must_tell(const attempt& got, std::uint64_t offset,
                                    const std::set<stream_id>& touched) const {
  if (got.refused)
    return "refused: " + to_string(*got.refused);
  if (!tells(got.found, path_, offset))
    return "the damage is not told";
  if (!closed_ && !got.found.incomplete)
    return "the damage is not said to matter";
  const auto left = compare(truth_, got.found,
                            closed_ ? std::set<stream_id>{} : touched);
  for (const auto id : left.refused)
    if (!touched.contains(id))
      return fmt::format("stream {} is refused and not damaged", raw(id));
  return left.wrong;
}

std::string journal_case::flip(std::uint64_t byte, unsigned bit,
                               access how) const {
  auto damaged = journal();
  damaged[byte] = static_cast<char>(damaged[byte] ^ (1 << bit));
  const auto got = open(damaged, how);
  if (!map_.covers(byte))
    return must_be(got, truth_);
  const auto count = map_.frames_to(byte);
  // The last frame may be a torn one, which nobody was told of.
  if (count == map_.frames.size())
    return must_be(got, closed_ ? truth_ : truths_[count - 1]);
  const auto offset = map_.frames[count - 1].offset;
  if (!closed_ && how == access::write)
    return must_refuse(got, offset);
  return must_tell(got, offset, with_forks(truth_, map_.streams_from(byte)));
}

std::string journal_case::flip(std::uint64_t bit) const {
  const auto byte = bit / 8;
  const auto at = static_cast<unsigned>(bit % 8);
  auto wrong = flip(byte, at, access::write);
  return wrong.empty() ? flip(byte, at, access::inspect) : wrong;
}

/// Only whole frames at the end may be missing, as in front of a torn tail.
std::string journal_case::cut(std::uint64_t bytes, access how) const {
  const auto got = open(journal().substr(0, bytes), how);
  if (got.refused)
    return got.refused->code == errc::corrupt
               && got.refused->context.find(path_) != std::string::npos
             ? got.changed
             : to_string(*got.refused);
  if (closed_ || got.found.incomplete) {
    std::set<stream_id> all;
    for (const auto& [id, stream] : truth_.streams)
      all.insert(id);
    return compare(truth_, got.found, closed_ ? std::set<stream_id>{} : all)
      .wrong;
  }
  const auto count = map_.whole_frames(bytes);
  const auto end = count == 0 ? 0 : map_.frames[count - 1].end;
  if (count < map_.frames.size() && (bytes != end || bytes == 0))
    return "it opens though the file ends within a frame";
  return must_be(got, truths_[count]);
}

std::string journal_case::cut(std::uint64_t bytes) const {
  auto wrong = cut(bytes, access::write);
  return wrong.empty() ? cut(bytes, access::inspect) : wrong;
}

} // namespace

bool damage_journal(const effort& how) {
  const auto lived = live();
  for (const auto& when : lived.moments) {
    const journal_case one{lived, when};
    fmt::print("journal, {}: {} bytes, {} frames\n", when.what, one.bytes(),
               one.frames());
    const case_series flips{
      fmt::format("journal, {}, bits", when.what), one.bytes() * 8,
      [&](auto bit) { return one.flip(bit); },
      [&](auto bit) { return how.only == 0 && one.is_special(bit); }};
    const case_series cuts{fmt::format("journal, {}, cuts", when.what),
                        one.bytes(), [&](auto bytes) { return one.cut(bytes); },
                        {}};
    if (!run(flips, how) || !run(cuts, how))
      return false;
  }
  return true;
}

} // namespace torpor::test
