// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/http_client.hpp"
#include "cli/stream_reader.hpp"
#include "cli/stream_writer.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace torpor {

/// The streams of a daemon, over HTTP (docs/http.md). Threads: one owner.
class http_streams final : public stream_reader, public stream_writer {
public:
  explicit http_streams(daemon_place place) : client_(std::move(place)) {}

  [[nodiscard]] result<std::vector<std::pair<std::string, stream_id>>>
  list(std::string_view prefix, std::string_view after,
       std::size_t count_max) override;
  [[nodiscard]] result<stream_info> info(stream_ref stream) override;
  [[nodiscard]] result<read_page> read(stream_ref stream,
                                       const read_options& options) override;

  [[nodiscard]] result<append_result>
  append(const std::string& stream,
         const std::vector<std::string_view>& payloads,
         const append_options& how) override;
  /// The same; an entry that is refused is counted from `before` on.
  [[nodiscard]] result<append_result>
  append(const std::string& stream,
         const std::vector<std::string_view>& payloads,
         const append_options& how, std::uint64_t before);
  /// What the protocol has no word for is refused: invalid_argument.
  [[nodiscard]] result<void> create(const std::string& stream,
                                    const create_options& how) override;
  [[nodiscard]] result<void> remove(const std::string& stream) override;
  [[nodiscard]] result<void> close(const std::string& stream) override;
  [[nodiscard]] std::unique_ptr<bulk_appender> bulk() override;

  /// Where the stream ends and whether it is closed, without a read.
  [[nodiscard]] result<read_page> tail(const std::string& stream);

private:
  [[nodiscard]] result<http_answer> expect(const http_call& call,
                                           std::string_view tried);
  [[nodiscard]] result<read_page> read_once(const std::string& stream,
                                            const read_options& options);
  [[nodiscard]] result<http_answer>
  post(const std::string& stream,
       const std::vector<std::string_view>& payloads,
       const append_options& how);
  [[nodiscard]] result<http_answer>
  post_json(const std::string& stream,
            const std::vector<std::string_view>& payloads,
            const append_options& how, std::uint64_t before);
  [[nodiscard]] result<http_answer>
  post_body(const std::string& stream, std::string_view type,
            std::string_view body, const append_options& how);

  http_client client_;
  std::string json_stream_; ///< The last one that turned out to take JSON.
};

} // namespace torpor
