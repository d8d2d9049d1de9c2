// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/stream_reader.hpp"
#include "runtime/block_reader.hpp"
#include "runtime/store.hpp"
#include "torpor/read.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace torpor {

/// Entries that a stream has of its own: what it was forked from is another one.
struct own_entries {
  stream_id id{};
  std::string name;
  sequence first{};
  sequence next{};
};

/// A store at rest, opened to look at it: changes nothing, needs no write
/// permission, and tolerates damage. Several may look at once, but nobody can
/// write meanwhile. Threads: one owner.
class inspected_store final : public stream_reader {
public:
  /// Errors: not_found, locked, incompatible, corrupt, io_failed.
  [[nodiscard]] static result<inspected_store>
  open(const std::string& data_dir);

  /// Looks at a store that was opened already, in whatever way, with one shard.
  explicit inspected_store(std::unique_ptr<store> opened);

  [[nodiscard]] result<std::vector<std::pair<std::string, stream_id>>>
  list(std::string_view prefix, std::string_view after,
       std::size_t count_max) override;
  [[nodiscard]] result<stream_info> info(stream_ref stream) override;

  /// All streams that it has entries of, in pages as of `list`: with those that
  /// are deleted and only kept for their forks.
  [[nodiscard]] result<std::vector<std::pair<std::string, stream_id>>>
  list_all(std::string_view after, std::size_t count_max);

  /// What it has of a stream itself, though nobody may see that any more;
  /// nullopt: there is no such stream.
  [[nodiscard]] result<std::optional<own_entries>> own(stream_id id);

  /// Never waits.
  [[nodiscard]] result<read_page> read(stream_ref stream,
                                       const read_options& options) override;
  [[nodiscard]] error explain(const stream_info& stream,
                              const read_options& wanted,
                              error failure) override;

  /// The blocks of a stream that are not sealed, from the one that holds `from`
  /// on.
  [[nodiscard]] std::vector<indexed_block> blocks(stream_id id,
                                                  sequence from) const;

  /// All entries of one block, whose stream goes on at `next`, checked.
  [[nodiscard]] result<read_page> read_block(const own_entries& stream,
                                             const indexed_block& block,
                                             sequence next);

  /// Errors: corrupt: the journal's end is damaged, so that any stream may lack
  /// its newest entries.
  [[nodiscard]] result<void> whole() const override;

  [[nodiscard]] const store& opened() const noexcept { return *store_; }

private:
  [[nodiscard]] error doubted(error why) const;
  [[nodiscard]] stream_table& table() const { return *store_->tables.front(); }
  [[nodiscard]] std::unique_ptr<read_request>
  run(read_job& job, std::optional<result<read_page>>& answer);

  std::unique_ptr<store> store_;
  block_reader reader_;
};

} // namespace torpor
