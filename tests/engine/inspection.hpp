// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/engine/history.hpp"
#include "torpor/read.hpp"

#include <string>
#include <vector>

namespace torpor::test {

/// An open store as its judge sees it.
class inspected {
public:
  virtual ~inspected() = default;
  /// All streams there are.
  [[nodiscard]] virtual std::vector<stream_info> streams() = 0;
  [[nodiscard]] virtual result<read_page> read(stream_ref stream,
                                               const read_options& wanted) = 0;
};

/// Whether an error says which file or stream is damaged.
[[nodiscard]] bool names_damage(const error& why);

/// Reads everything there is and holds it against what was promised; what was
/// seen must be there from now on. Empty when all is well, else what is wrong.
[[nodiscard]] std::string inspect(inspected& store, history& promised);

/// The same for what bounds should have deleted, as `history::judge_excess`
/// says.
[[nodiscard]] std::string
inspect_excess(inspected& store, const history& promised, std::int64_t used_ms);

} // namespace torpor::test
