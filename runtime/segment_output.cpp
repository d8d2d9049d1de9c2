// SPDX-License-Identifier: Apache-2.0
#include "runtime/segment_output.hpp"

#include "runtime/safety_step.hpp"

#include <algorithm>
#include <cstring>

namespace torpor {

segment_output::segment_output(std::unique_ptr<file> into)
  : file_{std::move(into)} {
  static_cast<void>(buffer_.take(piece_bytes));
}

result<void> segment_output::append(bytes_view bytes) {
  while (!bytes.empty()) {
    const auto taken = std::min(bytes.size(), piece_bytes - filled_);
    std::memcpy(buffer_.data() + filled_, bytes.data(), taken);
    filled_ += taken;
    bytes = bytes.subspan(taken);
    if (filled_ < piece_bytes)
      break;
    if (auto written = write_piece(); !written)
      return written;
  }
  return {};
}

result<void> segment_output::finish() {
  return write_piece().and_then([&] {
    return in_step(safety_step::segment_sync, [&] { return file_->sync(); });
  });
}

result<void> segment_output::write_piece() {
  if (filled_ == 0)
    return {};
  auto done = file_->write(written_, {buffer_.data(), filled_});
  written_ += filled_;
  filled_ = 0;
  return done;
}

} // namespace torpor
