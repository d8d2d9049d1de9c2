// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/store_view.hpp"

namespace torpor::test {

stream_names store_view::all(listing which) {
  stream_names all;
  auto& engine = store_.running();
  for (std::uint32_t shard = 0; shard < engine.shards(); ++shard)
    engine.ask(shard, [&](stream_table& table) {
      const auto part = table.records().list({}, {}, 1000, which);
      all.insert(all.end(), part->begin(), part->end());
    });
  store_.run();
  return all;
}

/// One that ends meanwhile is left out.
std::vector<stream_info> store_view::streams() {
  std::vector<stream_info> found;
  for (const auto& [name, id] : all(listing::living))
    inform(store_.running(), {id, {}}, [&](result<stream_info> info) {
      if (info)
        found.push_back(std::move(*info));
    });
  store_.run();
  return found;
}

/// One that cannot be told of is left out.
std::vector<stream_info> resting_view::streams() {
  std::vector<stream_info> found;
  const auto names = store_.list({}, {}, 1000);
  if (!names)
    return found;
  for (const auto& [name, id] : *names)
    if (auto info = store_.info({id, {}}))
      found.push_back(std::move(*info));
  return found;
}

} // namespace torpor::test
