// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/read.hpp"
#include "torpor/types.hpp"
#include "torpor/write_batch.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace torpor::test {

/// A stream as a reader finds it.
struct found_stream {
  stream_id id{};
  std::string name;
  sequence first{};                  ///< Oldest kept entry.
  std::vector<std::string> payloads; ///< From there on.
};

/// What a driver outside the store knows: every request before it was sent
/// and every answer. Judges what a reader finds afterwards. A stream's requests
/// without a producer come from one writer, and those of each producer too: they
/// stand in the order of their tags.
class history {
public:
  /// What became of a request, as far as the driver can know.
  enum class fate : std::uint8_t {
    unknown,  ///< No answer, or one that promises nothing (io_failed).
    buffered, ///< Acknowledged without durability.
    durable,  ///< Acknowledged: must be there for good.
    refused,  ///< Must never be there.
  };

  struct write_request {
    write_kind kind{};
    std::string stream; ///< Name.
    torpor::ack ack{};
    std::vector<std::string> payloads;
    std::optional<producer> by;
    fate known = fate::unknown;
    stream_id id{};
    sequence first{};
    sequence before{}; ///< Of a truncation.
    std::string order{};  ///< Of an append; empty: none.
    bool closes = false;  ///< The same.
    std::uint64_t answered_at = 0; ///< So many requests had been sent then.
    bool doubted = false; ///< Acknowledged as durable by a disk that lied.
  };

  /// Notes a request before it is sent; returns its tag.
  std::uint64_t sent(write_request added);
  /// Notes the answer to it.
  void answered(std::uint64_t tag, const write_outcome& outcome);
  /// Everything buffered is known to be durable now (a sync of all).
  void synced(const std::vector<std::uint64_t>& tags);
  /// A reader saw all of a stream. Nothing of it may go back.
  void seen(const found_stream& found);
  /// The stream of that name, if it is there, is a fork: its own entries begin
  /// at `at`, and nobody asks for those before.
  void forked(const std::string& name, sequence at) { forks_[name] = at; }
  /// Checks and notes one entry that a reader saw.
  [[nodiscard]] std::string saw(const std::string& name, stream_id id,
                                sequence at, const std::string& payload,
                                std::optional<std::int64_t> time_ms = {});
  /// What is unknown of truncations was decided by the last opening, and all
  /// streams were seen since.
  void settle();
  /// After a crash, buffered answers promise nothing any more.
  void crashed();
  /// The disk may have lied since `before` was copied. What was answered later
  /// may be missing at the end of the journal, and whatever is missing may be
  /// called damaged; nothing may be missing in silence.
  void distrust(const history& before);
  [[nodiscard]] bool distrusts() const noexcept { return distrusts_; }

  [[nodiscard]] const write_request& at(std::uint64_t tag) const {
    return requests_.at(tag);
  }
  [[nodiscard]] std::uint64_t size() const { return requests_.size(); }

  /// Streams that must exist, and those that must not.
  [[nodiscard]] std::set<stream_id> alive() const;
  [[nodiscard]] const std::set<stream_id>& removed() const { return removed_; }
  [[nodiscard]] bool must_be_closed(stream_id id) const {
    return closed_.contains(id);
  }

  /// Highest sequence that is behind an acknowledged entry of a name.
  [[nodiscard]] std::uint64_t end(const std::string& name) const;

  /// An acknowledged entry of a stream of that name is there, or was once.
  [[nodiscard]] bool has_durable(const std::string& name, sequence at) const;

  /// Checks all entries of one stream. Empty when all is well, else what is
  /// wrong.
  [[nodiscard]] std::string judge(const found_stream& found) const;

  /// Checks that what a lying disk has lost in silence is the journal's end.
  /// `found`: all streams that could be read; `named`: those that are damaged.
  [[nodiscard]] std::string judge_end(const std::vector<found_stream>& found,
                                      const std::set<stream_id>& named) const;

  /// Checks and notes the answer to a read in the middle of the work.
  [[nodiscard]] std::string judge(const std::string& name,
                                  const read_options& asked,
                                  const result<read_page>& page, bool faulty);

private:
  struct seen_entry {
    std::string payload;
    std::optional<std::int64_t> time_ms;
  };

  /// Some request of that kind for a name may have been carried out.
  [[nodiscard]] bool may_be(write_kind kind, const std::string& name,
                            sequence before = {}) const;
  [[nodiscard]] bool is_truncated(const std::string& name, sequence at) const;
  /// The least sequence that it may begin with.
  [[nodiscard]] sequence begin_of(const found_stream& found) const;
  void note_maybe_removed(const std::string& name);
  enum class whereabouts : std::uint8_t { there, gone_as_asked, lost };
  [[nodiscard]] whereabouts
  look_for(const write_request& request,
           const std::vector<found_stream>& found) const;
  [[nodiscard]] std::string judge_first(const found_stream& found) const;
  [[nodiscard]] std::string judge_seen(const found_stream& found) const;
  [[nodiscard]] std::string judge_order(const found_stream& found) const;
  [[nodiscard]] std::string judge_promised(const found_stream& found) const;
  [[nodiscard]] std::string judge_refusal(const std::string& name,
                                          const read_options& asked,
                                          const error& why, bool faulty) const;

  std::vector<write_request> requests_;
  std::map<stream_id, std::string> names_; ///< Of every stream that was met.
  std::map<stream_id, std::map<std::uint64_t, seen_entry>> seen_;
  std::map<stream_id, sequence> truncated_; ///< For good.
  std::map<std::string, sequence> forks_;   ///< Where they begin.
  std::map<stream_id, std::vector<std::uint64_t>> durable_;
  std::set<stream_id> created_;
  std::set<stream_id> closed_;
  std::set<stream_id> removed_;
  std::set<stream_id> maybe_removed_;
  bool distrusts_ = false;
};

} // namespace torpor::test
