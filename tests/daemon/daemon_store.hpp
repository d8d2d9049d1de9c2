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

/// A daemon's streams as their judge sees them. Threads: one owner.
class daemon_store final : public inspected {
public:
  explicit daemon_store(const daemon_place& place)
    : client_(place),
      streams_(place) {}

  [[nodiscard]] std::vector<stream_info> streams() override;
  [[nodiscard]] result<read_page> read(stream_ref stream,
                                       const read_options& wanted) override;

  /// A stream of that name, if it is there, is a fork of that one.
  void forked(const std::string& name, stream_id source) {
    sources_[name] = source;
  }

private:
  http_client client_;
  http_streams streams_;
  std::map<stream_id, stream_info> found_;
  std::map<std::string, stream_id> sources_;
};

} // namespace torpor::test
