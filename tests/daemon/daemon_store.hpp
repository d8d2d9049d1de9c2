// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/http_client.hpp"
#include "cli/http_streams.hpp"
#include "tests/engine/inspection.hpp"

#include <map>
#include <string>
#include <vector>

namespace torpor::test {

/// Reads a page with its entries' boundaries, once: unlike for users, what is
/// cut off stays so. Errors: those of the
/// connection, and as the daemon's status says.
[[nodiscard]] result<read_page> read_page_once(http_client& from,
                                               const std::string& stream,
                                               const read_options& wanted);

/// A daemon's streams as their judge sees them. Of forks only their own entries
/// count. Threads: one owner.
class daemon_store final : public inspected {
public:
  explicit daemon_store(const daemon_place& place)
    : client_(place),
      streams_(place) {}

  [[nodiscard]] std::vector<stream_info> streams() override;
  [[nodiscard]] result<read_page> read(stream_ref stream,
                                       const read_options& wanted) override;

  /// Whether `streams` has just found one of that name.
  [[nodiscard]] bool has(const std::string& name) const;
  /// The payloads of a fork's entries before `at`.
  [[nodiscard]] result<std::vector<std::string>>
  inherited(const std::string& fork, sequence at);

private:
  http_client client_;
  http_streams streams_;
  std::map<stream_id, stream_info> found_;
};

} // namespace torpor::test
