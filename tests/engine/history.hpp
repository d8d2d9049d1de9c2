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
#include <utility>
#include <vector>

namespace torpor::test {

/// A stream as a reader finds it.
struct found_stream {
  stream_id id{};
  std::string name;
  sequence first{};                  ///< Oldest kept entry.
  std::vector<std::string> payloads; ///< From there on.
  fork_origin origin{};
  bool closed = false;
  std::string content_type{};
  std::vector<std::int64_t> times{}; ///< Of the entries; empty: unknown.
};

/// What a driver outside the store knows: every request before it was sent
/// and every answer. Judges what a reader finds afterwards.
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
    sequence before{};    ///< Of a truncation.
    std::string source{}; ///< Of a create that forks: the name.
    sequence at{};        ///< The same: its first sequence of its own.
    std::optional<sequence> expected{};
    std::string order{};
    std::string content_type{};
    bool creates = true;
    bool closes = false;
    bool bare = false; ///< Its entries have no properties.
    retention_policy keep{};
    bool wrong = false;    ///< Has to be refused, whatever comes in between.
    bool repeated = false; ///< Sent more than once.
    std::uint64_t answered_at = 0; ///< So many requests were sent before.
    /// So many were when it was on the disk, or would never be; 0: it is open.
    std::uint64_t over_at = 0;
    std::int64_t since_ms = 0; ///< It was carried out at that time or later.
  };

  /// What holds for a stream, or may have.
  struct bound {
    retention_policy keep;
    std::uint64_t since = 0; ///< For requests from there on it was known.
  };

  /// Notes a request before it is sent; returns its tag.
  std::uint64_t sent(write_request added);
  /// It is sent once more, when the clock may have gone back; whatever became of
  /// it before, it may be carried out now.
  void again(std::uint64_t tag);
  /// What the wall clock shows from now on.
  void turned(std::int64_t wall_ms);
  /// A rule of the store's for streams whose names begin like that.
  void rule(std::string prefix, const retention_policy& keep) {
    rules_.emplace_back(std::move(prefix), keep);
  }
  /// Notes the answer to it, and judges that.
  void answered(std::uint64_t tag, const write_outcome& outcome);
  /// What was wrong with an answer; empty: nothing.
  [[nodiscard]] const std::string& wrong() const { return wrong_; }
  /// Everything buffered is known to be durable now (a sync of all).
  void synced(const std::vector<std::uint64_t>& tags);
  /// A reader saw all of a stream. Nothing of it may go back.
  void seen(const found_stream& found);
  /// Where a stream begins that was forked.
  void seen(stream_id id, const fork_origin& origin);
  /// What is unknown of truncations and removals was decided by the last opening,
  /// and all streams were seen since: these are there.
  void settle(const std::set<stream_id>& there);
  /// After a crash, buffered answers promise nothing any more.
  void crashed();

  [[nodiscard]] const write_request& at(std::uint64_t tag) const {
    return requests_.at(tag);
  }
  [[nodiscard]] std::uint64_t size() const { return requests_.size(); }

  /// Streams that must exist, and those that must not.
  [[nodiscard]] std::set<stream_id> alive() const;
  [[nodiscard]] bool is_removed(stream_id id) const {
    return removed_.contains(id);
  }

  /// Highest sequence that is behind an acknowledged entry of a name.
  [[nodiscard]] std::uint64_t end(const std::string& name) const;

  /// Whether a stream may be gone by itself: one that had the name, or that
  /// one. What was acknowledged when more requests than `trusted` had been sent
  /// may be lost, and then did not renew it.
  [[nodiscard]] bool may_expire(const std::string& name, stream_id id = {},
                                std::uint64_t trusted = ~std::uint64_t{0}) const;

  /// Streams whose bounds are known for sure, with the store's rules.
  [[nodiscard]] std::map<stream_id, bound> bounded() const;

  /// The latest time that the wall clock ever showed.
  [[nodiscard]] std::int64_t latest_ms() const { return latest_ms_; }

  /// Whether a stream has more than its bounds allow, when nobody has used it
  /// since `used_ms` and that is more than an hour ago. Empty when not.
  [[nodiscard]] std::string judge_excess(const found_stream& found,
                                         const bound& by,
                                         std::int64_t used_ms) const;

  /// Checks all entries of one stream. Empty when all is well, else what is
  /// wrong.
  [[nodiscard]] std::string judge(const found_stream& found) const;

  /// Checks and notes the answer to a read in the middle of the work. So many
  /// requests had been sent when it was: it knows of all that was acknowledged
  /// by then.
  [[nodiscard]] std::string judge(const std::string& name,
                                  const read_options& asked,
                                  const result<read_page>& page, bool faulty,
                                  std::uint64_t sent_before);

  /// Checks and notes one entry that a reader saw, its payload alone.
  [[nodiscard]] std::string saw(const std::string& name, stream_id id,
                                sequence at, const std::string& payload);

  /// An acknowledged entry of a stream of that name is there, or was once.
  [[nodiscard]] bool has_durable(const std::string& name, sequence at) const;

  /// Whether an entry's bytes are those of a request that may be there.
  [[nodiscard]] std::string judge_bytes(const std::string& name,
                                        const entry_view& entry) const;

  /// A name and those that its stream may have been forked from.
  [[nodiscard]] std::set<std::string>
  names_behind(const std::string& name) const;

  // -- for who judges what lies have left ------------------------------------

  /// Whether a stream may have been removed, by somebody or by itself. `trusted`
  /// as for `may_expire`.
  [[nodiscard]] bool may_be_gone(const std::string& name, stream_id id,
                                 std::uint64_t trusted) const;
  /// Whether an entry may have been deleted from a stream that has it no more.
  [[nodiscard]] bool may_be_deleted(const stream_info& stream,
                                    sequence at) const;

private:
  struct seen_entry {
    std::string payload;
    std::optional<std::int64_t> time_ms;
  };

  using durations = std::map<stream_id, std::uint64_t>; ///< See answered_at.

  /// Whether a request was for that name and may have been carried out: for that
  /// stream, if one is given, and not surely for another one of the name.
  [[nodiscard]] static bool may_concern(const write_request& request,
                                        const std::string& name, stream_id id) {
    return request.stream == name && request.known != fate::refused
           && (id == stream_id{} || request.known != fate::durable
               || request.id == id || request.repeated);
  }
  /// Some request of that kind may concern it.
  [[nodiscard]] bool may_be(write_kind kind, const std::string& name,
                            sequence before = {}, stream_id id = {}) const;
  [[nodiscard]] bool may_be_closed(const std::string& name) const;
  /// Whether entries may be gone that this stream had in front of `before`.
  [[nodiscard]] bool may_lose(const std::string& name, sequence before,
                              stream_id id = {}) const;
  /// Bounds that may have held for a stream.
  [[nodiscard]] std::vector<bound> bounds(const std::string& name,
                                          stream_id id = {}) const;
  [[nodiscard]] sequence end(stream_id id, std::uint64_t sent) const;
  [[nodiscard]] bool is_retained(const found_stream& found) const;
  [[nodiscard]] std::uint64_t block_bytes_max(std::uint64_t tag) const;
  [[nodiscard]] retention_policy rule_of(const std::string& name) const;
  [[nodiscard]] bool exceeds(const found_stream& found, const bound& by) const;
  [[nodiscard]] bool may_exceed(const found_stream& found,
                                const std::vector<bound>& all) const;
  [[nodiscard]] sequence least(stream_id id) const;
  [[nodiscard]] std::optional<std::uint64_t> find_entry(stream_id id,
                                                        std::uint64_t at) const;
  void accept(std::uint64_t tag, const write_outcome& outcome);
  void refuse(std::uint64_t tag, errc code);
  [[nodiscard]] std::string judge_success(const write_request& request,
                                          std::uint64_t tag,
                                          const write_outcome& outcome) const;
  [[nodiscard]] bool can_fail(const write_request& request, std::uint64_t tag,
                              errc code) const;
  [[nodiscard]] bool is_truncated(const std::string& name, sequence at) const;
  void note_maybe_removed(const std::string& name);
  [[nodiscard]] bool may_be_closed(const found_stream& found) const;
  [[nodiscard]] std::string judge_first(const found_stream& found) const;
  [[nodiscard]] std::string judge_seen(const found_stream& found) const;
  [[nodiscard]] std::string judge_seen(const found_stream& found, stream_id of,
                                       std::uint64_t end) const;
  [[nodiscard]] std::string judge_order(const found_stream& found) const;
  [[nodiscard]] std::string judge_inherited(const found_stream& found) const;
  [[nodiscard]] std::string judge_state(const found_stream& found) const;
  [[nodiscard]] std::string judge_part(const found_stream& found, stream_id of,
                                       std::uint64_t end) const;
  [[nodiscard]] std::string judge_refusal(const std::string& name,
                                          const read_options& asked,
                                          const error& why, bool faulty) const;
  [[nodiscard]] std::string judge_payload(const std::string& name, sequence at,
                                          const std::string& payload) const;

  std::vector<write_request> requests_;
  std::map<stream_id, std::string> names_; ///< Of every stream that was met.
  std::map<stream_id, std::map<std::uint64_t, seen_entry>> seen_;
  std::map<stream_id, sequence> truncated_; ///< For good.
  std::map<stream_id, std::vector<std::uint64_t>> durable_;
  std::map<stream_id, fork_origin> origins_; ///< Of forks that were seen.
  std::map<stream_id, std::string> types_;
  durations created_;
  durations closed_;
  durations removed_;
  std::set<stream_id> maybe_removed_;
  std::vector<std::pair<std::string, retention_policy>> rules_; ///< By prefix.
  std::int64_t now_ms_ = 0;
  std::int64_t latest_ms_ = 0; ///< The wall clock ever showed.
  std::string wrong_;
};

} // namespace torpor::test
