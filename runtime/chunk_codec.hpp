// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/byte_buffer.hpp"
#include "torpor/error.hpp"
#include "torpor/types.hpp"

#include <memory>
#include <span>

struct ZSTD_CCtx_s;

namespace torpor {

/// Compresses chunks with zstd. Threads: one owner.
class chunk_compressor {
public:
  /// `level` is 1 to 22, or 0 to compress nothing.
  explicit chunk_compressor(int level);

  /// The bytes to store: compressed if that saves at least an eighth, else
  /// `raw` itself. Good until the next call. After a chunk that stayed as it
  /// was, a sample of the next one decides whether it is worth an attempt, and
  /// at least each 16th is attempted.
  [[nodiscard]] bytes_view compress(bytes_view raw);

private:
  struct freed {
    void operator()(ZSTD_CCtx_s* context) const noexcept;
  };

  [[nodiscard]] bool promises_little(bytes_view raw);
  [[nodiscard]] bool shrink(bytes_view raw);

  int level_;
  std::unique_ptr<ZSTD_CCtx_s, freed> context_;
  byte_buffer buffer_;
  unsigned plain_ = 0; ///< Chunks in a row that stayed as they were.
};

/// Fills `raw` with what `stored` was made from. Errors: corrupt.
/// Threads: any; each keeps a decompressor of about 100 KiB.
[[nodiscard]] result<void> decompress_chunk(bytes_view stored,
                                            std::span<std::byte> raw);

} // namespace torpor
