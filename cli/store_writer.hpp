// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/stream_writer.hpp"
#include "torpor/runtime.hpp"

namespace torpor {

/// The streams of a store that this process opened. Threads: one owner.
class store_writer final : public stream_writer {
public:
  explicit store_writer(runtime opened) : store_(std::move(opened)) {}

  [[nodiscard]] result<append_result>
  append(const std::string& stream,
         const std::vector<std::string_view>& payloads,
         const append_options& how) override;
  [[nodiscard]] result<void> create(const std::string& stream,
                                    const create_options& how) override;
  [[nodiscard]] result<void> remove(const std::string& stream) override;
  [[nodiscard]] result<void> close(const std::string& stream) override;
  [[nodiscard]] std::unique_ptr<bulk_appender> bulk() override;

private:
  runtime store_;
};

} // namespace torpor
