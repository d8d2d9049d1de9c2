// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/journal_files.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/reseal.hpp"

#include <map>
#include <utility>

namespace torpor::test {

/// Lays out journal files of what a fuzzer says of their frames. Every frame is
/// right but for what its flags spoil, so that payloads and the order of frames
/// are what is tried, not checksums. Threads: one owner.
class journal_maker {
public:
  /// What of a frame is not as it should be; a byte in front of each. The
  /// payload's length, of two bytes, and the payload follow.
  enum : std::uint8_t {
    next_file = 1,      ///< It begins the next file.
    bad_header = 2,     ///< Its header's checksum is wrong.
    bad_payload = 4,    ///< Its payload's checksum is wrong.
    plain_blocks = 8,   ///< Its blocks stay as they came.
    skips_number = 16,  ///< A frame is missing before it.
    broken_chain = 32,  ///< It follows another frame.
    same_number = 64,   ///< It replaces the frame before it.
    other_blocks = 128, ///< It has not as many blocks as it says.
  };

  static constexpr std::size_t frames_max = 24;
  using files = std::map<std::uint32_t, byte_vector>;

  explicit journal_maker(const journal_config& config) {
    head_.store = config.store;
    head_.incarnation = 1;
    head_.file = 1;
  }

  files make(fuzz_input& input) {
    made_[1];
    for (std::size_t i = 0; i < frames_max && !input.empty(); ++i) {
      const auto how = input.u8();
      add(how, to_bytes(input.text()));
    }
    return std::move(made_);
  }

  void add(std::uint8_t how, byte_vector payload) {
    if ((how & next_file) != 0)
      ++head_.file;
    if (head_.number == 0 || (how & same_number) == 0)
      ++head_.number;
    if ((how & skips_number) != 0)
      ++head_.number;
    head_.durable = head_.number - 1;
    head_.blocks = (how & plain_blocks) != 0 ? 1u : reseal_blocks(payload);
    if ((how & other_blocks) != 0)
      ++head_.blocks;
    head_.payload_bytes = static_cast<std::uint32_t>(payload.size());
    head_.payload_checksum = checksum_of(payload)
                             + ((how & bad_payload) != 0 ? 1 : 0);
    auto head = head_;
    if ((how & broken_chain) != 0)
      ++head.previous;
    append(how, head, payload);
    head_.previous = head.checksum;
    head_.previous_file = head_.file;
  }

  [[nodiscard]] files take() { return std::move(made_); }

private:
  void append(std::uint8_t how, frame_header& head,
              const byte_vector& payload) {
    auto& file = made_[head.file];
    const auto begin = file.size();
    file.resize(begin + frame_bytes(payload.size()));
    encode(head, file.data() + begin);
    std::copy(payload.begin(), payload.end(),
              file.begin()
                + static_cast<std::ptrdiff_t>(begin + frame_head_bytes));
    if ((how & bad_header) != 0)
      file[begin + frame_head_bytes - 1] ^= std::byte{1};
  }

  files made_;
  frame_header head_;
};

} // namespace torpor::test
