// SPDX-License-Identifier: Apache-2.0
#include "runtime/memory_budget.hpp"

namespace torpor {

memory_budget::memory_budget(const memory_options& options)
  : all_(options.buffered_bytes_max),
    tenant_bytes_max_(options.tenant_bytes_max),
    limits_(options.tenants) {}

account* memory_budget::tenant(std::string_view stream_name) {
  if (tenant_bytes_max_ == 0 && limits_.empty())
    return nullptr;
  const auto name = stream_name.substr(0, stream_name.find('/'));
  const std::lock_guard guard{mutex_};
  if (const auto known = tenants_.find(name); known != tenants_.end())
    return known->second.get();
  const auto own = limits_.find(std::string{name});
  const auto limit = own != limits_.end() ? own->second : tenant_bytes_max_;
  if (limit == 0)
    return nullptr;
  auto& added = tenants_[std::string{name}];
  added = std::make_unique<account>(limit);
  return added.get();
}

} // namespace torpor
