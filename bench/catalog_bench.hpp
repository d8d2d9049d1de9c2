// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"

#include <cstdint>
#include <string>

namespace torpor::bench {

/// What the LMDB catalog costs with `streams` records, names of 20 bytes.
struct catalog_bench_result {
  std::uint64_t streams;
  double create_ns;        ///< Per stream, all in one durable update.
  double update_100k_s;    ///< 100,000 records at random, sorted, durable.
  double update_all_s;     ///< Every record, durable.
  double open_ms;          ///< With a warm page cache.
  double find_id_ns;       ///< At random, one transaction each, pages mapped.
  double find_name_ns;     ///< Likewise.
  double list_ns;          ///< Per name, in pages of 1,000.
  double bytes_per_stream; ///< On disk after the creation.
  std::uint64_t open_kb;   ///< Resident memory that opening added.
  std::uint64_t finds_kb;  ///< And 100,000 finds by id: mapped page cache.
};

/// Makes a catalog of `streams` records (from 1) in `directory`, which must
/// not exist, and removes it. Takes about 15 s with 1,000,000.
[[nodiscard]] result<catalog_bench_result>
run_catalog_bench(const std::string& directory, std::uint64_t streams);

} // namespace torpor::bench
