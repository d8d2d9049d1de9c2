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
  };

  /// Notes a request before it is sent; returns its tag.
  std::uint64_t sent(write_request added);
  /// Notes the answer to it.
  void answered(std::uint64_t tag, const write_outcome& outcome);
  /// Everything buffered is known to be durable now (a sync of all).
  void synced(const std::vector<std::uint64_t>& tags);
  /// A reader saw these entries of a stream, from 0 on.
  void seen(stream_id id, const std::vector<std::string>& payloads);
  /// After a crash, buffered answers promise nothing any more.
  void crashed();

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

  /// Checks all entries of one stream, from sequence 0 on. Empty when all is
  /// well, else what is wrong.
  [[nodiscard]] std::string judge(stream_id id, const std::string& name,
                                  const std::vector<std::string>& found) const;

private:
  std::vector<write_request> requests_;
  std::map<stream_id, std::vector<std::string>> seen_;
  std::map<stream_id, std::vector<std::uint64_t>> durable_;
  std::set<stream_id> created_;
  std::set<stream_id> closed_;
  std::set<stream_id> removed_;
  std::set<stream_id> maybe_removed_;
};

} // namespace torpor::test
